"""Place: the folder of a use case, the package that it is imported as, and its tests."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from finance_assets.scaffold.request import CannotScaffoldError

PACKAGE = Path(__file__).parents[1]
CHECKOUT = PACKAGE.parent
SHIPPED, SHIPPED_TESTS = PACKAGE / "use_cases", CHECKOUT / "finance_assets_tests" / "use_cases"


@dataclass(frozen=True)
class Place:
    """Where a use case lies. `root` has to be where Python looks for `package`; `parent` is the
    package whose use cases are found, None for that of the shipped ones.
    """

    folder: Path
    tests: Path
    package: str
    root: Path
    parent: str | None


def is_checkout() -> bool:
    """Whether this package is a checkout of the project that can be written to."""
    has_all = (CHECKOUT / "pyproject.toml").is_file() and SHIPPED_TESTS.is_dir()
    return has_all and os.access(SHIPPED, os.W_OK)


def place_of(name: str, into: Path | None) -> Place:
    """Where a use case of this name goes: into a folder, or among the shipped ones.

    Raises:
        CannotScaffoldError: the folder is no package that Python can import, or holds such a
            name already.
    """
    if into is None:
        if not is_checkout():
            raise CannotScaffoldError(
                "this package is installed, and no checkout to write into",
                where=str(SHIPPED),
                remedy="--into FOLDER, a package of your own",
            )
        package = f"finance_assets.use_cases.{name}"
        found = Place(SHIPPED / name, SHIPPED_TESTS / name, package, CHECKOUT, None)
    else:
        found = _outside(name, into.expanduser().resolve())
    for folder in (found.folder, found.tests):
        if folder.exists() and any(p.name != "__pycache__" for p in folder.iterdir()):
            raise CannotScaffoldError(
                "there is such a folder already", where=str(folder), remedy="another name"
            )
    return found


def _outside(name: str, folder: Path) -> Place:
    if not folder.is_dir():
        what = "it is no folder" if folder.exists() else "there is no such folder"
        raise CannotScaffoldError(
            what,
            where=f"--into {folder}",
            remedy=f"mkdir -p {folder} && touch {folder}/__init__.py",
        )
    if not (folder / "__init__.py").is_file():
        raise CannotScaffoldError(
            "the folder is no package: Python would not find a use case in it",
            where=f"--into {folder}",
            remedy=f"touch {folder}/__init__.py",
        )
    if not os.access(folder, os.W_OK):
        raise CannotScaffoldError(
            "the folder cannot be written to",
            where=f"--into {folder}",
            remedy="see its permissions",
        )
    parts, root = [folder.name], folder.parent
    while (root / "__init__.py").is_file():
        parts.insert(0, root.name)
        root = root.parent
    for part in parts:
        if not re.fullmatch(r"[A-Za-z_]\w*", part, re.ASCII):
            raise CannotScaffoldError(
                f"{part!r} is no name of a package",
                where=f"--into {folder}",
                remedy="a folder with letters, digits and _ in its name",
            )
    parent = ".".join(parts)
    place = folder / name
    return Place(place, place / "tests", f"{parent}.{name}", root, parent)
