"""Select: a transform written as one SELECT over the inputs, whose lineage is read from its text.

What is read is what runs, so it cannot be declared wrongly. Text that sqlglot cannot follow to
the inputs is refused. Transforms written as functions state the lineage of what they compute.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from finance_assets.parse_cache import cached, digest_of
from finance_assets.step import origins, scopes
from finance_assets.step.origins import DIALECT, Origin, read_origins

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from sqlglot import exp

# Names what is cached: other code must not find it.
PARSER_DIGEST = digest_of(__file__, origins.__file__, scopes.__file__)


@dataclass(frozen=True)
class Select:
    """SQL over inputs, which it names by their entities.

    `columns_of` are the columns of each input.
    """

    text: str
    columns_of: Mapping[str, Sequence[str]]

    def __call__(self, /, **frames: "DataFrame") -> "DataFrame":
        """The selected rows of these inputs."""
        session = next(iter(frames.values())).sparkSession
        return session.sql(self.template, **{_place(name): f for name, f in frames.items()})

    @property
    def template(self) -> str:
        """The text with a place for each input, as the engine takes frames.

        Raises:
            ValueError: as `origins`.
        """
        return self._parsed.template

    @property
    def origins(self) -> dict[str, Origin]:
        """Every selected column, in order, with what it is made of.

        Raises:
            ValueError: the text is no SELECT, names what does not exist, or cannot be followed.
        """
        return self._parsed.origins

    @property
    def unread(self) -> tuple[str, ...]:
        """Inputs that the text never names.

        Raises:
            ValueError: as `origins`.
        """
        return self._parsed.unread

    @cached_property
    def _parsed(self) -> "ParsedSelect":
        key = [self.text, [[name, *columns] for name, columns in self.columns_of.items()]]
        return cached(
            ParsedSelect,
            key,
            "sqlglot",
            PARSER_DIGEST,
            lambda: parse_select(self.text, self.columns_of),
        )


@dataclass(frozen=True)
class ParsedSelect:
    """What a text says; see the properties of Select."""

    template: str
    origins: dict[str, Origin]
    unread: tuple[str, ...]


def parse_select(text: str, columns_of: Mapping[str, Sequence[str]]) -> ParsedSelect:
    """Parse a SELECT over inputs with these columns.

    Raises:
        ValueError: it is no SELECT, names what does not exist, or cannot be followed.
    """
    from sqlglot import exp

    parsed = _tree_of(text)
    named = [table for table in parsed.find_all(exp.Table) if not _is_cte(table)]
    return ParsedSelect(
        _template(text, [table for table in named if table.name in columns_of]),
        read_origins(parsed, columns_of),
        tuple(name for name in columns_of if name not in {table.name for table in named}),
    )


def _template(text: str, inputs: "list[exp.Table]") -> str:
    places = sorted((t.this.meta["start"], t.this.meta["end"] + 1, t) for t in inputs)
    parts, done = [], 0
    for start, end, table in places:
        alias = "" if table.alias else f" AS {table.name}"
        parts += [_escaped(text[done:start]), f"{{{_place(table.name)}}}{alias}"]
        done = end
    return "".join([*parts, _escaped(text[done:])])


def _tree_of(text: str) -> "exp.Query":
    import sqlglot
    from sqlglot import exp

    try:
        parsed = sqlglot.parse_one(text, dialect=DIALECT)
    except sqlglot.errors.SqlglotError as error:
        raise ValueError(str(error).splitlines()[0]) from error
    if not isinstance(parsed, exp.Query):
        raise ValueError("it is no SELECT")
    return parsed


def _place(entity: str) -> str:
    """What an input is called in the call of `sql`, whose own parameters have names, too."""
    return f"input_{entity}"


def _is_cte(table: "exp.Table") -> bool:
    """Whether a table's name is that of a WITH around it."""
    from sqlglot import exp

    above = table.parent
    while above is not None:
        with_ = above.args.get("with_") or above.args.get("with")
        if isinstance(with_, exp.With) and table.name in {c.alias for c in with_.expressions}:
            return True
        above = above.parent
    return False


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
