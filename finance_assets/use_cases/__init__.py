"""Use cases: one folder each, found by looking; nothing about a use case anywhere else.

A use case is a package with a module `use_case` that declares `USE_CASE`. It runs nothing and
imports no engine at load. Those of this package are found by themselves; those of one's own live
in packages that the setting FINANCE_ASSETS_USE_CASES names.
"""

import pkgutil
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module, invalidate_caches
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

from finance_assets.declarations import refuse
from finance_assets.errors import DeclarationError, FinanceAssetsError, SettingsError
from finance_assets.model_life.journals import tables_of
from finance_assets.settings import get_settings
from finance_assets.step.use_case import UseCase
from finance_assets.step.use_case_rules import shared_tables

SETTING, MODULE, DECLARED = "FINANCE_ASSETS_USE_CASES", "use_case", "USE_CASE"
FINDABLE = "install it, or put the folder that it lies in on PYTHONPATH"


def all_use_cases(*, may_be_empty: bool = False) -> dict[str, UseCase]:
    """Every use case by its name: the shipped ones, then those that the setting names.

    Args:
        may_be_empty: a package that the setting names may be one for use cases to come.

    Raises:
        DeclarationError: a package cannot be imported or declares no use case, two claim the
            same name or table, or a use case contradicts itself.
        SettingsError: an end of a calendar is set that no use case goes by.
    """
    settings = get_settings()
    found = dict(_discovered(settings.use_case_packages, may_be_empty))
    for name, last in settings.calendar_ends.items():
        if name not in found or found[name].calendar.last != last:
            ends = (
                "there is none" if name not in found else f"its {found[name].calendar.last!r} stays"
            )
            raise SettingsError(
                f"the calendar of {name!r} shall end with {last!r}, and {ends}",
                where="FINANCE_ASSETS_LAST_PARTITIONS",
                remedy="NAME=PARTITION of a use case whose calendar asks `Settings.last_partition`",
            )
    return found


def forget() -> None:
    """Look for use cases anew when they are asked for next: a folder came, or went."""
    _discovered.cache_clear()
    invalidate_caches()


def packed_folders(packages: tuple[str, ...]) -> dict[str, Path]:
    """The folders whose code has to be where these packages are imported, by their import path.

    A use case imports from its neighbours, so the outermost package with an `__init__.py` goes
    along as a whole.

    Raises:
        DeclarationError: a package is not to be found, or lies in no folder.
    """
    folders = {}
    for name in packages:
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            outer = ".".join(parts[:length])
            origin = _spec(outer).origin
            if origin is not None:
                folders[outer.replace(".", "/")] = Path(origin).parent
                break
        else:
            raise _refused(name, "it has no __init__.py", f"add one to the folder of {name}")
    return folders


@lru_cache
def _discovered(packages: tuple[str, ...], may_be_empty: bool) -> dict[str, UseCase]:
    found: dict[str, UseCase] = {}
    files: dict[str, str] = {}
    read: dict[str, tuple[UseCase, str]] = {}
    for package in dict.fromkeys((__name__, *packages)):
        modules = list(_modules(package))
        if not modules and not may_be_empty:
            raise _refused(
                package,
                "there is no use case in it",
                f"a sub-package with a module {MODULE} that declares {DECLARED}; "
                "`finance-assets new` writes one into the folder that --into names",
            )
        # A package that another one holds is named twice, and declares once.
        for module in (m for m in modules if m not in read):
            use_case, file = read[module] = _declared(module)
            if use_case.name in found:
                raise DeclarationError(
                    f"two use cases are called {use_case.name!r}",
                    where=f"{files[use_case.name]} and {file}",
                    remedy="give one of them another name",
                )
            found[use_case.name], files[use_case.name] = use_case, file
    made = {name: tables_of(use_case) for name, use_case in found.items()}
    refuse("use cases", shared_tables(made), at=", ".join(files.values()))
    return found


def _modules(package: str) -> Iterator[str]:
    """The modules of a package that declare use cases: its own, or those of its sub-packages."""
    spec = _spec(package)
    if spec.submodule_search_locations is None:
        raise _refused(package, "it is a module", "name the package of your use cases")
    names = sorted(pkgutil.iter_modules(spec.submodule_search_locations), key=lambda m: m.name)
    if any(item.name == MODULE for item in names):
        yield f"{package}.{MODULE}"
        return
    for item in names:
        if item.ispkg and _has_module(f"{package}.{item.name}"):
            yield f"{package}.{item.name}.{MODULE}"


def _has_module(package: str) -> bool:
    places = _spec(package).submodule_search_locations or ()
    return any(item.name == MODULE for item in pkgutil.iter_modules(places))


def _spec(package: str) -> ModuleSpec:
    try:
        spec = find_spec(package)
    except Exception as error:
        raise _refused(package, f"{type(error).__name__}: {error}", FINDABLE) from error
    if spec is None:
        raise _refused(package, "there is no such package", FINDABLE)
    return spec


def _declared(name: str) -> tuple[UseCase, str]:
    """The use case that a module declares, and the file."""
    try:
        module = import_module(name)
    except FinanceAssetsError:
        raise
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise _refused(name, what, "mend the module; `python -c 'import …'` shows where") from error
    use_case, file = getattr(module, DECLARED, None), str(module.__file__)
    if not isinstance(use_case, UseCase):
        kind = "missing" if use_case is None else f"a {type(use_case).__name__}"
        raise DeclarationError(
            f"{name}.{DECLARED} is {kind}", where=file, remedy=f"{DECLARED} = UseCase(…)"
        )
    return use_case, file


def _refused(package: str, what: str, remedy: str) -> DeclarationError:
    where = SETTING if not package.startswith(f"{__name__}.") else package
    return DeclarationError(f"{package} cannot be loaded: {what}", where=where, remedy=remedy)
