"""Words: where a checkout speaks of a use case outside of its own folders.

The project's tests refuse such words: nothing but its own folders knows a use case.
"""

import re
from collections.abc import Iterator
from pathlib import Path

PLACES = (
    *("finance_assets/**/*", "finance_assets_tests/**/*", "notebooks/*", ".github/**/*"),
    *("Makefile", "databricks.yml", "pyproject.toml", ".env.example", "workspace.yaml", ".ci/*"),
)
PROSE = ("README.md", "docs/**/*.md")


def speaking_of(root: Path, name: str, entity: str = "") -> Iterator[Path]:
    """Files of the project, other than its own, that have the word of a use case in them."""
    words = [re.escape(name)]
    if entity:
        words.append(rf"(bronze|silver|gold)(\W{{1,4}}|_{{1,2}}){re.escape(entity)}")
    pattern = re.compile("|".join(words))
    own = tuple(
        root / part / "use_cases" / name for part in ("finance_assets", "finance_assets_tests")
    )
    for path in _files(root, PLACES):
        if not any(folder in path.parents for folder in own) and _has(path, pattern):
            yield path


def prose_about(root: Path, name: str) -> Iterator[Path]:
    """Pages that a person wrote and that name a use case."""
    pattern = re.compile(rf"\b{re.escape(name)}\b")
    for path in _files(root, PROSE):
        if path.name != "data_dictionary.md" and _has(path, pattern):
            yield path


def _files(root: Path, places: tuple[str, ...]) -> list[Path]:
    found = {path for place in places for path in root.glob(place)}
    return sorted(p for p in found if p.is_file() and "__pycache__" not in p.parts)


def _has(path: Path, pattern: re.Pattern[str]) -> bool:
    return pattern.search(path.read_text(encoding="utf-8", errors="ignore")) is not None
