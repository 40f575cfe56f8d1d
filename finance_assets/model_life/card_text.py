"""The text of a model card: its facts, laid out by templates/model_card.md.j2.

Gathering the facts is cards.py's business; wording and order are the template's.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypedDict

from finance_assets.codec import Json

if TYPE_CHECKING:
    from jinja2 import Template

# Of many intersections, a reader needs those that are worst off.
WIDEST = 15
PLOTS = ("importance", "roc", "lift", "calibration", "fairness", "forecast", "errors")
# Where the card's file in MLflow finds the plots of its run.
BESIDE = {name: f"../plots/{name}.png" for name in PLOTS}


class Declared(TypedDict):
    """What the use case declares of every version; records of its classes, field by field."""

    task: dict[str, Json]
    features: list[dict[str, str]]
    naive: str
    limitations: list[str]
    drift_limits: dict[str, Json]


class Trained(TypedDict):
    """What the registry knows of the training."""

    model: dict[str, str]
    data: dict[str, Json]
    recipe: dict[str, Json]
    exposure: dict[str, Json]


class Measured(TypedDict):
    """What the evaluation says: figures of all rows and of segments, by role and metric."""

    measures: list[dict[str, Json]]
    segments: list[dict[str, Json]]
    problems: list[tuple[str, str]]
    assessment: dict[str, Json] | None


class Card(Declared, Trained, Measured):
    """Every fact of a model card. As JSON it lies beside the text, for programs."""

    status: str
    gate: list[dict[str, Json]]
    decisions: list[dict[str, Json]]
    history: list[dict[str, Json]]


def render_card(card: Card, images: dict[str, str] | None = None) -> str:
    """The card as Markdown; `images` are the plots' addresses by name, those in MLflow if None.

    A plot without an address is left out.
    """
    return _template().render(
        card=card,
        images=BESIDE if images is None else images,
        fairness=_fairness(card),
        measure_columns=_measure_columns(card),
    )


@lru_cache
def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("finance_assets.model_life"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        # Markdown for reviewers, made of our own records; nothing serves it as HTML.
        autoescape=False,  # noqa: S701
    )
    environment.filters |= {
        "table": _table,
        "pairs": _pairs,
        "interval": _interval,
        "of_roles": _of_roles,
        "verdicts": _verdicts,
    }
    return environment.get_template("model_card.md.j2")


def _table(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> str:
    """Rows as a Markdown table; `columns` gives the field of each heading."""
    cells = [[_cell(row[field], field) for field in columns.values()] for row in rows]
    if not cells:
        return "*None.*"
    lines = [list(columns), ["---"] * len(columns), *cells]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _pairs(rows: Mapping[str, Any] | Iterable[tuple[str, Any]], name: str, value: str) -> str:
    """Pairs as a table of two columns."""
    items = rows.items() if isinstance(rows, Mapping) else rows
    return _table([{name: a, value: b} for a, b in items], {name: name, value: value})


def _cell(value: Any, field: str) -> str:
    if value is None:
        return ""
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    # To the second is enough for a reader.
    text = text[:19] if field == "recorded_at" else text
    return text.replace("|", "\\|").replace("\n", " ")


def _interval(interval: Mapping[str, float]) -> str:
    return f"{interval['value']:.3f} [{interval['low']:.3f}, {interval['high']:.3f}]"


def _of_roles(gains: Mapping[str, Mapping[str, float]]) -> list[dict[str, object]]:
    return [{"role": role, **gain} for role, gain in sorted(gains.items())]


def _verdicts(gate: Iterable[Mapping[str, Any]]) -> list[dict[str, object]]:
    return [{**v, "verdict": "passed" if v["is_passed"] else "**failed**"} for v in gate]


def _measure_columns(card: Card) -> dict[str, str]:
    """Role and segment, then whatever the task measures."""
    names = dict.fromkeys(name for row in card["measures"] for name in row)
    return {name: name for name in ("role", "segment", *names)}


def _fairness(card: Card) -> dict[str, object]:
    """Gaps of single attributes, the widest of their intersections, small groups, exceptions."""
    assessed: dict[str, Any] = {
        "gaps": [],
        "groups": [],
        "small_groups": {},
        **(card["assessment"] or {}),
    }
    single = [g for g in assessed["gaps"] if "," not in g["attribute"]]
    crossed = [g for g in assessed["gaps"] if "," in g["attribute"]]
    crossed.sort(key=lambda g: g["opportunity_gap"]["value"])
    verdicts: list[dict[str, Any]] = [dict(v) for v in card["gate"] if v["name"] == "fairness"]
    return {
        "groups": [{**g, "ratio": _interval(g["ratio"])} for g in assessed["groups"]],
        "crossed": len(crossed),
        "shown": min(WIDEST, len(crossed)),
        "gaps": [
            {
                **g,
                "ratio": f"{_interval(g['ratio'])} of {g['reference']}",
                "gap": f"{_interval(g['opportunity_gap'])} to {g['deserving_reference']}",
            }
            for g in (*single, *crossed[:WIDEST])
        ],
        "small": [f"{group} ({n})" for group, n in sorted(assessed["small_groups"].items())],
        "exceptions": [e for v in verdicts for e in v["evidence"].get("exceptions", ())],
    }
