"""Select: a transform written as one SELECT over the inputs, whose lineage is read from its text.

What is read is what runs, so it cannot be declared wrongly. Text that sqlglot cannot follow to
the inputs is refused. Transforms written as functions state the lineage of what they compute.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from finance_assets.step.origins import DIALECT, Origin, read_origins

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from sqlglot import exp


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

    @cached_property
    def template(self) -> str:
        """The text with a place for each input, as the engine takes frames."""
        from sqlglot import exp

        places = sorted(
            (table.this.meta["start"], table.this.meta["end"] + 1, table)
            for table in self._parsed.find_all(exp.Table)
            if table.name in self.columns_of and not _is_cte(table)
        )
        parts, done = [], 0
        for start, end, table in places:
            alias = "" if table.alias else f" AS {table.name}"
            parts += [_escaped(self.text[done:start]), f"{{{_place(table.name)}}}{alias}"]
            done = end
        return "".join([*parts, _escaped(self.text[done:])])

    @cached_property
    def origins(self) -> dict[str, Origin]:
        """Every selected column, in order, with what it is made of.

        Raises:
            ValueError: the text is no SELECT, names what does not exist, or cannot be followed.
        """
        return read_origins(self._parsed, self.columns_of)

    @property
    def unread(self) -> list[str]:
        """Inputs that the text never names."""
        from sqlglot import exp

        named = {t.name for t in self._parsed.find_all(exp.Table) if not _is_cte(t)}
        return [entity for entity in self.columns_of if entity not in named]

    @cached_property
    def _parsed(self) -> "exp.Query":
        import sqlglot
        from sqlglot import exp

        try:
            parsed = sqlglot.parse_one(self.text, dialect=DIALECT)
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
