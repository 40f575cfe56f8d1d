"""Rendered: everything in a checkout that is made from its use cases, made anew.

The bundle's jobs, the data dictionary, the tables of the cost page, and the snapshots of the asset
graph. The project's tests compare each with what the use cases give.
"""

from collections.abc import Iterable
from pathlib import Path

from finance_assets.step.use_case import UseCase


def render_checkout(root: Path, use_cases: dict[str, UseCase]) -> list[str]:
    """Write what is stale, and delete what is of nobody any more; what was done to which file."""
    wanted = {
        **_bundle(root, use_cases),
        **_dictionary(use_cases),
        **_cost_page(root, use_cases.values()),
        **_snapshots(root, use_cases),
    }
    changed = []
    for name, text in wanted.items():
        path = root / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(f"rendered {name}")
    return [*changed, *_without_left_over(root, wanted)]


def _bundle(root: Path, use_cases: dict[str, UseCase]) -> dict[str, str]:
    from finance_assets.bundle.render import render_all
    from finance_assets.bundle.variables import read_file

    return render_all(list(use_cases.values()), read_file(root / "databricks.yml"))


def _dictionary(use_cases: dict[str, UseCase]) -> dict[str, str]:
    from finance_assets.cli.dictionary import data_dictionary

    return {"docs/data_dictionary.md": data_dictionary(use_cases)}


def _cost_page(root: Path, use_cases: Iterable[UseCase]) -> dict[str, str]:
    """The page with its tables replaced: each is known by its first line."""
    from finance_assets.cli.cost import minutes_table, table

    name, known = "docs/databricks/cost.md", list(use_cases)
    if not (root / name).exists():
        return {}
    lines = (root / name).read_text(encoding="utf-8").split("\n")
    for new in (table(known), *(minutes_table(known, start, 0.5) for start in (0.5, 4.0))):
        title = new.split("\n", 1)[0]
        if title in lines:
            first = lines.index(title)
            last = first
            while last < len(lines) and lines[last].startswith("|"):
                last += 1
            lines[first:last] = new.split("\n")
    return {name: "\n".join(lines)}


def _snapshots(root: Path, use_cases: dict[str, UseCase]) -> dict[str, str]:
    from finance_assets.assets.described import described
    from finance_assets.definitions import build_defs

    graph = build_defs(use_cases=use_cases).resolve_asset_graph()
    folder = "finance_assets_tests/use_cases"
    return {
        f"{folder}/{name}/asset_graph.json": described(graph, name)
        for name in use_cases
        if (root / folder / name).is_dir()
    }


def _without_left_over(root: Path, wanted: dict[str, str]) -> list[str]:
    """Delete the jobs of use cases that there are no more."""
    from finance_assets.bundle.render import HEADER

    removed = []
    for path in sorted((root / "resources").glob("*.yml")):
        name = path.relative_to(root).as_posix()
        if name not in wanted and path.read_text(encoding="utf-8").startswith(HEADER):
            path.unlink()
            removed.append(f"removed {name}")
    return removed
