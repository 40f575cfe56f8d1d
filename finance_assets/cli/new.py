"""Commands that write a use case from a file, and take a shipped one away."""

import contextlib
import importlib
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from finance_assets.cli.common import console, grid, guarded
from finance_assets.settings import Settings, get_settings
from finance_assets.step.use_case import UseCase
from finance_assets.use_cases import SETTING, all_use_cases, forget

if TYPE_CHECKING:
    from finance_assets.scaffold.place import Place
    from finance_assets.scaffold.plan import Plan
    from finance_assets.scaffold.request import Request

app = typer.Typer()


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the use case to be.")],
    files: Annotated[
        list[Path], typer.Option("--from", help="CSV, Parquet or JSON lines; as often as needed.")
    ],
    label: Annotated[str, typer.Option(help="Column that says what came.")],
    key: Annotated[
        str, typer.Option(help="Columns that tell entities apart; without: rows are numbered.")
    ] = "",
    time: Annotated[str | None, typer.Option(help="Column with the time of a row.")] = None,
    task: Annotated[str | None, typer.Option(help="binary or regression.")] = None,
    frequency: Annotated[
        str | None, typer.Option(help="monthly, weekly, daily, or none: in the rows' order.")
    ] = None,
    label_lag: Annotated[
        int, typer.Option(help="After how many partitions the label is known.")
    ] = 0,
    positive: Annotated[str | None, typer.Option(help="Value of the label to warn of.")] = None,
    into: Annotated[
        Path | None, typer.Option(help="A package of your own; else among the shipped ones.")
    ] = None,
    owner: Annotated[str, typer.Option(help="Mail address of who answers for it.")] = "",
) -> None:
    """Write a use case from a file: tables, model, gate, deliveries, tests, and a report."""

    def write() -> None:
        from finance_assets.scaffold.request import Request

        keys = tuple(part.strip() for part in key.split(",") if part.strip())
        request = Request(
            name, tuple(files), label, keys, time, task, frequency, label_lag, positive, owner
        )
        _new(request, into)

    guarded(write)


@app.command()
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of a shipped use case.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take a shipped use case away, with its tests, its pages and its job; tables stay."""
    guarded(lambda: _remove(name, yes))


@app.command()
def render() -> None:
    """Render anew what a checkout makes from its use cases: jobs, dictionary, costs, snapshots."""

    def write() -> None:
        from finance_assets.scaffold.place import CHECKOUT, is_checkout
        from finance_assets.scaffold.request import CannotScaffoldError

        if not is_checkout():
            raise CannotScaffoldError(
                "this package is installed, and no checkout to render",
                where=str(CHECKOUT),
                remedy="run it in a checkout of the project",
            )
        for line in _render(CHECKOUT) or ["nothing was stale"]:
            console.print(line, highlight=False)

    guarded(write)


def _new(request: "Request", into: Path | None) -> None:
    from finance_assets.scaffold.naming import require_name
    from finance_assets.scaffold.place import CHECKOUT, place_of
    from finance_assets.scaffold.planning import delivered_rows, make_plan
    from finance_assets.scaffold.reading import read_files
    from finance_assets.scaffold.writing import write

    # A package of one's own is named before the first use case is in it.
    known = all_use_cases(may_be_empty=True)
    tables = [step.key for use_case in known.values() for step in use_case.steps]
    require_name(request.name, known, tables)
    place = place_of(request.name, into)
    with console.status("reading"):
        given = read_files(request)
        plan = make_plan(request, given, place.package, tables)
    if place.parent is None:
        _require_own_words(CHECKOUT, plan)
    with console.status("writing"):
        try:
            write(plan, delivered_rows(request, given), place.folder, place.tests)
            _load(place)
            changed = [] if place.parent else _render(CHECKOUT)
        except BaseException:
            # Half a use case would keep every other one from loading.
            for folder in (place.folder, place.tests):
                shutil.rmtree(folder, ignore_errors=True)
            if place.parent is None:
                with contextlib.suppress(Exception):
                    _render(CHECKOUT)
            raise
    _tell(plan, place, changed)


def _require_own_words(root: Path, plan: "Plan") -> None:
    """Refuse a name that the framework's files use for something else: its tests would too."""
    from finance_assets.scaffold.request import CannotScaffoldError
    from finance_assets.scaffold.words import speaking_of

    found = [p.relative_to(root) for p in speaking_of(root, plan.request.name, plan.entity)]
    if found:
        shown = ", ".join(map(str, found[:3]))
        raise CannotScaffoldError(
            f"the word {plan.request.name!r} stands in {shown}: no such file may know a use case",
            where=f"NAME {plan.request.name!r}",
            remedy=f"a more telling name, such as {plan.request.name}_case",
        )


def _load(place: "Place") -> None:
    """Load what was written: it is checked like any other use case."""
    if str(place.root) not in sys.path:
        sys.path.insert(0, str(place.root))
    importlib.invalidate_caches()
    importlib.import_module(f"{place.package}.use_case")


def _render(root: Path) -> list[str]:
    from finance_assets.cli.rendered import render_checkout

    forget()
    shipped = {n: u for n, u in all_use_cases(may_be_empty=True).items() if _is_shipped(u)}
    return render_checkout(root, shipped)


def _is_shipped(use_case: UseCase) -> bool:
    from finance_assets.scaffold.place import SHIPPED

    return SHIPPED in use_case.samples.parents


def _tell(plan: "Plan", place: "Place", changed: list[str]) -> None:
    table = grid(f"{plan.request.name}: what was decided", ("about", "decision", "why"))
    for one in plan.decisions:
        mark = "[yellow]" if one.about.startswith("!") else "[default]"
        cells = (one.about.lstrip("!"), one.choice, one.reason)
        table.add_row(*(f"{mark}{escape(cell)}[/]" for cell in cells))
    console.print(table)
    roles: dict[str, list[str]] = {}
    for column in plan.columns:
        roles.setdefault(column.role.value, []).append(column.name)
    for role, names in roles.items():
        console.print(f"  {role}: {escape(', '.join(names))}", highlight=False)
    console.print(f"\nwrote {place.folder}\nwrote {place.tests}", highlight=False, soft_wrap=True)
    for line in changed:
        console.print(line, highlight=False)
    console.print(f"{place.folder / 'NEW.md'} says it of every column.", soft_wrap=True)
    console.print("\nNext:", *_commands(plan, place), sep="\n  ", soft_wrap=True, markup=False)


def _commands(plan: "Plan", place: "Place") -> list[str]:
    """The commands that the user types next."""
    name, commands = plan.request.name, []
    if place.parent is not None:
        packages = get_settings().use_case_packages
        if place.parent not in packages:
            named = ",".join([*packages, place.parent])
            commands.append(f"export {SETTING}={named}")
        commands.append(f"export PYTHONPATH={shlex.quote(str(place.root))}:$PYTHONPATH")
    commands.append(f"finance-assets run --use-case {name}")
    commands.append(f"finance-assets history {name}")
    last = plan.split.names[-1]
    keys = [column for column in plan.key if column != plan.partition]
    shown = " ".join(f"--key {column}=…" for column in keys)
    commands.append(f"finance-assets trace {name} {shown} --partition {last}".replace("  ", " "))
    commands.append(f"python -m pytest {shlex.quote(str(place.tests))}")
    return commands


def _remove(name: str, yes: bool) -> None:
    from finance_assets.scaffold.place import CHECKOUT
    from finance_assets.scaffold.removing import removal_of, remove
    from finance_assets.scaffold.words import prose_about, speaking_of

    removal = removal_of(name, tuple(all_use_cases()))
    console.print(f"To be deleted with {name}:", highlight=False)
    for folder in removal.folders:
        console.print(f"  {folder}", highlight=False, soft_wrap=True)
    console.print("  its job in resources/, its part of the data dictionary", highlight=False)
    if not yes:
        typer.confirm("Delete it?", abort=True)
    remove(removal)
    for module in [m for m in sys.modules if f".use_cases.{name}" in m]:
        del sys.modules[module]
    for line in _render(CHECKOUT):
        console.print(line, highlight=False)
    left = [*speaking_of(CHECKOUT, name), *prose_about(CHECKOUT, name)]
    for page in left:
        console.print(f"still names it: {page.relative_to(CHECKOUT)}", highlight=False)
    console.print(
        f"{name} is gone from the code. Its tables and models stay where they are: {_stay()}",
        highlight=False,
        soft_wrap=True,
    )


def _stay() -> str:
    settings: Settings = get_settings()
    place = settings.catalog or os.fspath(settings.lakehouse_root)
    return f"{place}, and the registered model in MLflow; delete them there if you want to"
