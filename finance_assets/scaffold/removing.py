"""Removing: a shipped use case's folders. What is rendered from it is rendered anew by the CLI."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from finance_assets.scaffold.place import CHECKOUT, SHIPPED, SHIPPED_TESTS, is_checkout
from finance_assets.scaffold.request import CannotScaffoldError

# Where the project says on which use case the tests of the framework run.
SCENARIO = "finance_assets_tests/scenario.py"


@dataclass(frozen=True)
class Removal:
    """The folders that go with a use case."""

    name: str
    folders: tuple[Path, ...]


def removal_of(name: str, known: tuple[str, ...]) -> Removal:
    """What is to be deleted.

    Raises:
        CannotScaffoldError: no such use case ships, the last one, or the one that tests run on.
    """
    if not is_checkout():
        raise CannotScaffoldError(
            "this package is installed, and no checkout to take a use case out of",
            where=str(SHIPPED),
            remedy="run it in a checkout of the project",
        )
    folder = SHIPPED / name
    shipped = sorted(p.parent.name for p in SHIPPED.glob("*/use_case.py"))
    if name not in shipped:
        is_outside = name in known
        raise CannotScaffoldError(
            f"{name!r} lies in a package of your own: delete its folder there"
            if is_outside
            else f"there is no use case {name!r}",
            where="NAME",
            remedy=f"one of those that ship: {', '.join(shipped)}",
        )
    scenario = CHECKOUT / SCENARIO
    if scenario.is_file() and f"use_cases.{name}." in scenario.read_text(encoding="utf-8"):
        raise CannotScaffoldError(
            f"the tests of the framework run on {name}",
            where=SCENARIO,
            remedy="keep this one, and remove the others: without it publish, gate and champion "
            "history would have no tests. Not running it in production takes no removal: "
            "`docs/use_as_template.md` says how",
        )
    if shipped == [name]:
        raise CannotScaffoldError(
            "it is the only use case", where="NAME", remedy="`finance-assets new` before"
        )
    tests = SHIPPED_TESTS / name
    return Removal(name, tuple(path for path in (folder, tests) if path.exists()))


def remove(removal: Removal) -> None:
    """Delete the folders."""
    for folder in removal.folders:
        shutil.rmtree(folder)
