"""Names: of use cases, tables and columns, from what people and files call them."""

import keyword
import re
import unicodedata
from collections.abc import Iterable, Sequence

from finance_assets.declarations import NAME
from finance_assets.ml.tasks.task import SCORED_BY
from finance_assets.scaffold.request import CannotScaffoldError
from finance_assets.scaffold.vocabulary import words

MAX_NAME, MAX_WORDED = 40, 20
# Parameters of the engine's sql(): a table of this name would be taken for one.
ENGINE = {"args", "kwargs", "sqlquery", "self"}
# What Spark SQL and sqlglot read as something else than a column, or what tables of ours add.
RESERVED = words("reserved") | {column.name for column in SCORED_BY}


def slug(text: str) -> str:
    """A text as a name: lower case, ASCII, words joined by an underscore; empty if none is left."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    ascii_only = "".join(c for c in plain if c.isascii())
    # camelCase is two words, ABC one.
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", ascii_only)
    return re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")


def shortened(name: str, most: int = MAX_NAME) -> str:
    """A name that fits into a line: whole words of it."""
    if len(name) <= most:
        return name
    cut = name[: most + 1].rpartition("_")[0]
    return cut or name[:most]


def worded(value: str) -> str:
    """A value as a part of a name that leaves room for the column's; empty if nothing is left."""
    return shortened(slug(value), MAX_WORDED)


class Names:
    """The names of columns, in all tables of a use case: each is given away once, none reserved.

    A column, what is made of it and what the label becomes stand in the same SQL.
    """

    def __init__(self) -> None:
        self._used = set(RESERVED)

    def columns(self, header: Sequence[str]) -> tuple[str, ...]:
        """A name of ours for each column of a file."""
        names = []
        for position, text in enumerate(header, 1):
            name = slug(text)
            if not name or not name[0].isalpha():
                name = f"column_{name or position}"
            if name in RESERVED or keyword.iskeyword(name):
                name = f"{name}_value"
            names.append(self.take(name))
        return tuple(names)

    def take(self, stem: str, before: str = "", after: str = "") -> str:
        """A name that is free: `stem`, shortened where it has to be, between the other parts."""
        number, end = 1, after
        while True:
            room = MAX_NAME - len(before) - len(end)
            name = f"{before}{shortened(stem, room)}{end}"
            if name not in self._used:
                self._used.add(name)
                return name
            number += 1
            end = f"{after}_{number}"


def require_name(name: str, use_cases: Iterable[str], tables: Iterable[str]) -> None:
    """Refuse a name that no use case can have, or that is taken.

    Args:
        name: the wanted one.
        use_cases: names of those that there are.
        tables: their tables, as `<layer>.<entity>`.

    Raises:
        CannotScaffoldError: saying why.
    """
    where = f"NAME {name!r}"
    if not NAME.fullmatch(name) or name.startswith("_"):
        proposed = slug(name)
        raise CannotScaffoldError(
            f"{name!r} is no name of a Python package and of tables",
            where=where,
            remedy="lower-case letters, digits and _, a letter first"
            + (f", such as {proposed}" if NAME.fullmatch(proposed) else ""),
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in RESERVED | ENGINE:
        raise CannotScaffoldError(
            f"{name!r} means something else to Python, SQL or the engine",
            where=where,
            remedy=f"a more telling name, such as {name}_risk",
        )
    if len(name) > MAX_NAME:
        raise CannotScaffoldError(
            f"the name has {len(name)} letters", where=where, remedy=f"at most {MAX_NAME}"
        )
    known = sorted(use_cases)
    if name in known:
        raise CannotScaffoldError(
            "there is such a use case already",
            where=where,
            remedy=f"another name than {', '.join(known)}; `finance-assets remove {name}` takes a "
            "shipped one away",
        )
    ours = {f"{name}_{part}" for part in ("features", "labels", "predictions", "candidate")}
    claimed = sorted(ours & {table.rpartition(".")[2] for table in tables})
    if claimed:
        raise CannotScaffoldError(
            f"another use case has the table {claimed[0]}", where=where, remedy="another name"
        )


def entity_name(name: str, stem: str, tables: Iterable[str]) -> str:
    """What the rows of the file are called: as the file is, or after the use case."""
    taken = {table.rpartition(".")[2] for table in tables}
    wanted = slug(stem)
    is_free = not {wanted, f"{wanted}_deliveries", f"{wanted}_before"} & taken
    is_name = bool(NAME.fullmatch(wanted)) and 3 <= len(wanted) <= MAX_NAME
    is_plain = not keyword.iskeyword(wanted) and wanted not in RESERVED | ENGINE
    is_other = wanted not in (name, "features", "labels", "before", "data", "train", "test")
    if is_free and is_name and is_plain and is_other:
        return wanted
    return f"{name}_rows"
