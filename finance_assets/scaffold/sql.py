"""SQL of what the file writes in its own way: texts, numbers for people, the label."""

from finance_assets.lakehouse import ddl
from finance_assets.scaffold.layout import visible
from finance_assets.scaffold.numerals import NEGATIVE, Numeral
from finance_assets.scaffold.outcome import Outcome
from finance_assets.scaffold.profile import Profile

# `\\z` and not `$`, which Java lets match before a line end.
END = "\\z"


def quoted(value: str) -> str:
    """A text as SQL writes it, where everything can be seen."""
    return visible(ddl.quoted(value))


def number_sql(name: str, found: Profile) -> str:
    """SQL for a silver column as a double: what its numeral reads, step by step."""
    if not found.written:
        return name if found.type == "double" else f"cast({name} AS double)"
    text = name
    if found.written.left_out:
        text = f"regexp_replace({text}, {quoted(found.written.left_out)}, '')"
    if found.written.decimal != ".":
        text = f"replace({text}, {quoted(found.written.decimal)}, '.')"
    number = f"try_cast({text} AS double)"
    if found.written.is_signed:
        number += f" * CASE WHEN {name} RLIKE {quoted(NEGATIVE)} THEN -1.0D ELSE 1.0D END"
    if found.written.factors:
        number += f" * CASE {_factors(name, found.written)} ELSE 1.0D END"
    return number


def _factors(name: str, written: Numeral) -> str:
    whens = (
        f"WHEN {name} RLIKE {quoted(pattern)} THEN {factor:.1f}D"
        for pattern, factor in written.factors
    )
    return " ".join(whens)


def readable_sql(name: str, found: Profile) -> str:
    """SQL for whether a silver column of written numbers has one, or a word that stands beside."""
    assert found.written is not None
    condition = f"{name} RLIKE {quoted(f'^({found.written.pattern}){END}')}"
    if found.words:
        condition += f" OR {name} IN ({', '.join(map(quoted, found.words))})"
    return f"{name} IS NULL OR {condition}"


def label_type(found: Profile) -> str:
    """The type of the column that holds the label. Yes as «not the event» is kept as a word."""
    return "string" if found.type == "boolean" and not found.is_typed else found.type


def label_sql(outcome: Outcome, name: str, found: Profile) -> str:
    """SQL for the label of a row, of the column that holds it."""
    if outcome.task == "regression":
        return number_sql(name, found)
    if outcome.is_plain:
        return name
    text = name if label_type(found) == "string" else f"cast({name} AS string)"
    if found.type in ("int", "bigint", "double"):
        listed, others = (
            ", ".join(dict.fromkeys(_number_text(t) for t in texts))
            for texts in (outcome.positive, outcome.others)
        )
        text = name
    else:
        listed, others = (
            ", ".join(quoted(t) for t in texts) for texts in (outcome.positive, outcome.others)
        )
    return f"CASE WHEN {text} IN ({listed}) THEN true WHEN {text} IN ({others}) THEN false END"


def _number_text(text: str) -> str:
    value = float(text)
    return str(int(value)) if value.is_integer() else repr(value)
