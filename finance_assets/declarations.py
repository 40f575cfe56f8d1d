"""Declarations: mistakes in what a use case declares, all named at once when it loads.

Only the means: what is a mistake in a contract, a model or a use case is written beside these
(lakehouse/contract_rules.py, ml/spec_rules.py, step/use_case_rules.py).
"""

import dataclasses
import re
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from finance_assets.errors import DeclarationError
from finance_assets.parse_cache import cached, digest_of

PACKAGE = Path(__file__).parent
# Names what is cached: other code must not find it.
PARSER_DIGEST = digest_of(__file__)
# Dataclasses are made and copied by code of the standard library.
PYTHON = Path(dataclasses.__file__).parent
# A name that every engine, Delta and Unity Catalog keep as it is written.
NAME = re.compile(r"_{0,2}[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Mistake:
    """What is wrong with a field of a declaration, and what to write instead."""

    field: str
    what: str
    remedy: str


def refuse(declared: str, mistakes: Iterable[Mistake], at: str = "") -> None:
    """Refuse a declaration with mistakes.

    Args:
        declared: what was declared, as a person knows it.
        mistakes: what is wrong with it; nothing happens if there is none.
        at: file and line; those of the caller outside the framework by default.

    Raises:
        DeclarationError: naming every mistake, the file and the remedies.
    """
    found = list(mistakes)
    if found:
        raise DeclarationError(
            "; ".join(f"{declared}, {m.field}: {m.what}" for m in found),
            where=at or written_at(),
            remedy="; ".join(dict.fromkeys(m.remedy for m in found)),
        )


def written_at() -> str:
    """File and line of the code that declares: the nearest caller that is no library's."""
    frame = sys._getframe(1)
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        is_ours = PACKAGE in file.parents and PACKAGE / "use_cases" not in file.parents
        if not is_ours and file.parent != PYTHON and file.exists():
            return f"{file}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return "declared in code without a file"


def bad_name(field: str, name: str) -> Iterator[Mistake]:
    """Names are lower case: engines fold the case of others, and then find them no more."""
    if not NAME.fullmatch(name):
        yield Mistake(
            field, f"{name!r} is no name", "lower-case letters, digits and _, a letter first"
        )


def unknown(field: str, names: Iterable[str], known: Sequence[str]) -> Iterator[Mistake]:
    """Names that are not among the known ones."""
    for name in names:
        if name not in known:
            yield Mistake(field, f"{name!r} does not exist", f"one of {', '.join(sorted(known))}")


def repeated(field: str, names: Sequence[str]) -> Iterator[Mistake]:
    """Names that are there more than once."""
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Mistake(field, f"{name!r} is declared more than once", "declare each once")


def blank(field: str, text: str) -> Iterator[Mistake]:
    """A text for people that says nothing."""
    if not text.strip():
        yield Mistake(field, "is empty", "say it in a sentence")


def below(field: str, value: float, least: float) -> Iterator[Mistake]:
    """A number that is too small, or none."""
    if not value >= least:
        yield Mistake(field, f"is {value}", f"{least} or more")


@dataclass(frozen=True)
class Condition:
    """What a SQL expression names: all its columns, and those outside any aggregate."""

    columns: frozenset[str]
    plain: frozenset[str]
    has_aggregate: bool


@cache
def read_sql(expression: str) -> Condition:
    """What a SQL expression names.

    Raises:
        ValueError: it cannot be read.
    """
    return cached(Condition, expression, "sqlglot", PARSER_DIGEST, lambda: _read_sql(expression))


def _read_sql(expression: str) -> Condition:
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(expression, dialect="databricks")
    except sqlglot.errors.SqlglotError as error:
        raise ValueError(str(error).splitlines()[0]) from error
    columns = [column for column in tree.find_all(exp.Column) if column.name != "*"]
    return Condition(
        frozenset(column.name for column in columns),
        frozenset(c.name for c in columns if c.find_ancestor(exp.AggFunc) is None),
        tree.find(exp.AggFunc) is not None,
    )


def bad_sql(
    field: str, expression: str, known: Sequence[str]
) -> Generator[Mistake, None, Condition | None]:
    """An expression that cannot be read, or names columns that do not exist; returns what it names,
    None if it cannot be read.
    """
    try:
        named = read_sql(expression)
    except ValueError as error:
        yield Mistake(field, f"cannot be read: {error}", "an expression in Spark SQL")
        return None
    yield from unknown(field, sorted(named.columns), known)
    return named


def bad_row_sql(
    field: str, expression: str, known: Sequence[str], remedy: str
) -> Iterator[Mistake]:
    """An expression that cannot be read, or is not about one row."""
    named = yield from bad_sql(field, expression, known)
    if named and named.has_aggregate:
        yield Mistake(field, "aggregates, and is asked of each row", remedy)


def bad_aggregate(
    field: str, expression: str, known: Sequence[str], remedy: str
) -> Iterator[Mistake]:
    """An expression that cannot be read, or names a column outside an aggregate."""
    named = yield from bad_sql(field, expression, known)
    if named and named.plain:
        yield Mistake(field, f"names {', '.join(sorted(named.plain))} outside an aggregate", remedy)
