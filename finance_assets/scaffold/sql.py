"""SQL of what the file writes in its own way: texts, numbers for people, the label."""

from finance_assets.lakehouse import ddl
from finance_assets.scaffold.layout import visible
from finance_assets.scaffold.outcome import Outcome
from finance_assets.scaffold.profile import Profile

NUMBERS = {
    "decimal_comma": "replace(replace({}, '.', ''), ',', '.')",
    "thousands": "regexp_replace({}, '[^0-9.+-]', '')",
    "with_unit": "regexp_replace({}, '[^0-9.+-]', '')",
}


def quoted(value: str) -> str:
    """A text as SQL writes it, where everything can be seen."""
    return visible(ddl.quoted(value))


def number_sql(name: str, found: Profile) -> str:
    """SQL for a silver column as a double."""
    if found.written:
        return f"try_cast({NUMBERS[found.written].format(name)} AS double)"
    return name if found.type == "double" else f"cast({name} AS double)"


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
