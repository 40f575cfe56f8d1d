"""The model card: what a model-risk reviewer reads about a version, as Markdown.

Structured along SR 11-7: purpose, data, conceptual soundness, outcome analysis, limitations,
monitoring, governance. Rendering only; the facts are gathered in steps/cards.py.
"""

from collections.abc import Sequence
from typing import Any

Card = dict[str, Any]
# Of many intersections, a reader needs those that are worst off.
WIDEST = 15


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
    gains = [(role, g["value"], g["error"]) for role, g in sorted(assessed["gains"].items())]
    recalibration = assessed["recalibration"]
    parts += [
        "Gain in AUC on the same rows, with DeLong's standard error (the gate's interval, which "
        "grows with the looks at the holdout and with the noise of retraining, is in section 7):",
        _table(("over", "gain", "standard error"), gains),
        _plots(images, "roc", "lift"),
        "### Calibration",
        f"Slope {_interval(recalibration['slope'])} (1 is right), shift of the log-odds "
        f"{_interval(recalibration['shift'])} (0 is right).",
        _plots(images, "calibration"),
        f"### Cost per row ({assessed['cost_unit']})",
        _table(("decision by", "cost per row"), sorted(assessed["costs"].items())),
        "### By month and group",
        _measures(card["segments"]),
        "### Fairness",
        _exposure(card["exposure"]),
        *_fairness(card),
        _plots(images, "fairness"),
        "### Stability of the score (PSI, month to month)",
        _table(("month", "PSI"), sorted(assessed["stability"].items())),
    ]
    return "\n\n".join(parts)


def _exposure(found: dict[str, Any]) -> str:
    """What the model sees of the protected attributes, by the declared lineage."""
    lines = [
        f"- **{attribute}: seen**, by way of {', '.join(features)}"
        for attribute, features in sorted(found["seen"].items())
    ]
    if found["unseen"]:
        lines.append(
            f"- {', '.join(found['unseen'])}: not among the features, nor in the lineage of one. "
            "Features may stand in for it all the same; the gaps below show what comes of it."
        )
    if found["unknown"]:
        lines.append(
            f"- Not traced, so nothing is certain: {', '.join(found['unknown'])}. An attribute "
            "that is not listed may be seen through them."
        )
    return "\n".join(lines) or "No protected attributes are declared."


def _fairness(card: Card) -> list[str]:
    """Gaps of single attributes, the widest of their intersections, small groups, exceptions."""
    assessed = card["assessment"]
    single = [g for g in assessed["gaps"] if "," not in g["attribute"]]
    crossed = [g for g in assessed["gaps"] if "," in g["attribute"]]
    crossed.sort(key=lambda g: g["opportunity_gap"]["value"])
    rows = [
        (
            g["group"],
            g["threshold"],
            g["rows"],
            g["rate"],
            f"{_interval(g['ratio'])} of {g['reference']}",
            f"{_interval(g['opportunity_gap'])} to {g['deserving_reference']}",
        )
        for g in (*single, *crossed[:WIDEST])
    ]
    names = ("group", "flagged from", "rows", "favourable", "ratio", "gap among the deserving")
    small = [f"{group} ({n})" for group, n in sorted(assessed["small_groups"].items())]
    exceptions = [(e["group"], e["min_ratio"], e["max_gap"], e["reason"]) for e in _excepted(card)]
    return [
        "A decision is favourable when the row is not flagged. Each group is compared with the "
        "best-off one, at every threshold in use; the intervals hold for all comparisons at once. "
        f"Of the {len(crossed)} comparisons of intersections the {WIDEST} with the widest gaps "
        "are shown.",
        _table(names, rows),
        f"Too small to judge: {', '.join(small) or 'none'}.",
        "Declared exceptions of the gate:",
        _table(("group", "ratio at least", "gap at most", "reason"), exceptions),
    ]


def _excepted(card: Card) -> list[dict[str, Any]]:
    verdicts = [v for v in card["gate"] if v["name"] == "fairness"]
    return [e for v in verdicts for e in v["evidence"].get("exceptions", ())]


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
