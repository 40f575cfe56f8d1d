"""The model card: what a model-risk reviewer reads about a version, as Markdown.

Structured along SR 11-7: purpose, data, conceptual soundness, outcome analysis, limitations,
monitoring, governance. Rendering only; the facts are gathered in steps/cards.py.
"""

from collections.abc import Sequence
from typing import Any

Card = dict[str, Any]


# Where the card's file in MLflow finds the plots of its run.
BESIDE = {
    name: f"../plots/{name}.png"
    for name in ("importance", "roc", "lift", "calibration", "fairness")
}


def render_card(card: Card, images: dict[str, str] | None = None) -> str:
    """The card as Markdown; `images` are the plots' addresses by name, those in MLflow if None.

    A plot without an address is left out.
    """
    shown = BESIDE if images is None else images
    head = card["model"]
    sections = [
        f"# Model card: {head['name']} v{head['version']}",
        f"**{card['status']}** · as of {head['as_of']} · owner {head['owner']} · "
        f"trained by {head['trained_by']} · code `{head['git_sha']}`",
        "## 1. Purpose and use",
        head["purpose"],
        _decision(card),
        "## 2. Data",
        _data(card),
        "## 3. Conceptual soundness",
        _soundness(card, shown),
        "## 4. Outcome analysis",
        _outcomes(card, shown),
        "## 5. Limitations",
        "\n".join(f"- {text}" for text in card["limitations"]) or "None were declared.",
        "## 6. Ongoing monitoring",
        _monitoring(card),
        "## 7. Governance",
        _governance(card),
        "## 8. Reproduce",
        f"```console\nfinance-assets reproduce {head['name']} {head['version']}\n```",
    ]
    return "\n\n".join(sections) + "\n"


def _table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    if not rows:
        return "*None.*"
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")


def _interval(interval: dict[str, float]) -> str:
    return f"{interval['value']:.3f} [{interval['low']:.3f}, {interval['high']:.3f}]"


def _decision(card: Card) -> str:
    bands = _table(("band", "from score"), [(b["name"], b["from_score"]) for b in card["bands"]])
    assessed = card["assessment"]
    if assessed is None:
        return bands
    reason = assessed["threshold_reason"]
    return f"Threshold {assessed['threshold']:.4f}: {reason}.\n\n{bands}"


def _data(card: Card) -> str:
    data = card["data"]
    rows = [(table, version) for table, version in data["versions"].items()]
    return "\n\n".join(
        (
            f"Trained on {data['train_rows']} rows of {data['train_window']} "
            f"({data['train_positives']} positives); held out: {data['holdout_window']}, "
            "the latest months whose outcome was known. The split is by time, never random.",
            _table(("input table", "Delta version"), rows),
            _table(
                ("feature", "meaning", "unit"),
                [(f["name"], f["description"], f["unit"]) for f in card["features"]],
            ),
        )
    )


def _plots(images: dict[str, str], *names: str) -> str:
    return " ".join(f"![{name}]({images[name]})" for name in names if name in images)


def _soundness(card: Card, images: dict[str, str]) -> str:
    recipe = card["recipe"]
    shares = (card["assessment"] or {}).get("gain_shares", {})
    top = sorted(shares.items(), key=lambda item: -item[1])
    return "\n\n".join(
        (
            f"{recipe['library']}, {recipe['rounds']} rounds; the same recipe gives the same "
            "bytes. Beside it stand a logistic scorecard and the rule of thumb "
            f"«{card['naive']}».",
            _table(("parameter", "value"), sorted(recipe["params"].items())),
            "Share of the gain that each feature brought:",
            _table(("feature", "share"), [(name, float(share)) for name, share in top]),
            _plots(images, "importance"),
        )
    )


def _outcomes(card: Card, images: dict[str, str]) -> str:
    assessed = card["assessment"]
    parts = ["### Measures on the holdout", _measures(card["measures"])]
    if card["problems"]:
        parts += ["Could not be measured:", _table(("model", "why"), card["problems"])]
    if assessed is None:
        return "\n\n".join(parts)
    gain = assessed["auc_gain"]
    gaps = [
        (
            f"{g['attribute']}={g['group']}",
            g["reference"],
            g["rows"],
            g["rate"],
            _interval(g["ratio"]),
            _interval(g["opportunity_gap"]),
        )
        for g in assessed["gaps"]
    ]
    parts += [
        f"Gain in AUC over the champion: {_interval(gain)}" if gain else "There was no champion.",
        _plots(images, "roc", "lift"),
        "### Calibration",
        _plots(images, "calibration"),
        f"### Cost per row ({assessed['cost_unit']})",
        _table(("decision by", "cost per row"), sorted(assessed["costs"].items())),
        "### By month and group",
        _measures(card["segments"]),
        "### Fairness",
        "A decision is favourable when the row is not flagged. The model sees none of these "
        "attributes.",
        _table(
            ("group", "against", "rows", "favourable", "ratio", "gap among the deserving"), gaps
        ),
        _plots(images, "fairness"),
        f"Too small to judge: {assessed['small_groups'] or 'none'}.",
        "### Stability of the score (PSI, month to month)",
        _table(("month", "PSI"), sorted(assessed["stability"].items())),
    ]
    return "\n\n".join(parts)


def _measures(rows: Sequence[dict[str, Any]]) -> str:
    names = ("role", "segment", "rows", "positives", "auc", "pr_auc", "brier", "calibration_error")
    return _table(names, [[row[name] for name in names] for row in rows])


def _monitoring(card: Card) -> str:
    limits = card["drift_limits"]
    return (
        "Every scored month is compared with the training reference, feature by feature and for "
        f"the score: PSI from {limits['warning_psi']} on is a warning, from "
        f"{limits['drift_psi']} on drift, which requests a retraining."
    )


def _governance(card: Card) -> str:
    verdicts = [
        (v["name"], "passed" if v["is_passed"] else "**failed**", v["required"], v["observed"])
        for v in card["gate"]
    ]
    decided = [
        (
            d["recorded_at"][:19],
            d["as_of"],
            d["outcome"],
            d["champion_version"],
            d["failed_criteria"],
        )
        for d in card["decisions"]
    ]
    events = [
        (
            e["recorded_at"][:19],
            e["event"],
            e["effective_from"],
            e["replaces"],
            e["model_version"],
            e["decided_by"],
            e["reason"],
        )
        for e in card["history"]
    ]
    return "\n\n".join(
        (
            "### Gate report",
            _table(("criterion", "verdict", "required", "observed"), verdicts),
            "### Decisions of the gate",
            _table(("recorded (UTC)", "as of", "decision", "against", "failed"), decided),
            "### Changes of champion",
            _table(("recorded (UTC)", "event", "from", "before", "after", "by", "reason"), events),
        )
    )
