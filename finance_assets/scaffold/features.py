"""Features: which of the possible ones the model sees, and which is the rule of thumb.

Only the first half of the partitions is asked: the gate measures on the others.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from finance_assets.scaffold.given import Given
from finance_assets.scaffold.naming import Names
from finance_assets.scaffold.outcome import Outcome
from finance_assets.scaffold.plan import Decision, Feature, PlannedColumn
from finance_assets.scaffold.profile import Profile, texts_of
from finance_assets.scaffold.suspects import ranking

if TYPE_CHECKING:
    import pandas as pd

    from finance_assets.scaffold.deliveries import Split

# Of more, probing each for a leak takes longer than anything else.
MAX_FEATURES = 40
# A feature that says so much of the outcome is the rule of thumb; the gate refuses more.
STRONG_AUC = 0.9


def label_before(outcome: Outcome, names: Names) -> Feature:
    """Of a regression: what the label was before, the rule of thumb in the label's own unit."""
    name = names.take(outcome.target, after="_before")
    text = "What the label was a delivery before: the entity's own, or else the average"
    return Feature(name, name, text)


def choose_features(
    given: Given,
    columns: tuple[PlannedColumn, ...],
    profiles: Mapping[str, Profile],
    outcome: "pd.Series[float]",
    split: "Split",
    task: str,
    before: Feature | None,
    names: Names,
) -> tuple[tuple[Feature, ...], str, tuple[Decision, ...]]:
    """The features, the name of the rule of thumb, and the decisions about both."""
    early = _early(split) & outcome.notna().to_numpy()
    if not early.any():
        early = outcome.notna().to_numpy()
    known = outcome.to_numpy()[early]
    strength: dict[str, float] = {}
    possible: list[Feature] = []
    for position, column in enumerate(columns):
        texts = texts_of(given.rows.column(position))[early] if column.features else None
        for feature in column.features:
            assert texts is not None
            values = _values(feature, column, profiles[column.at_source], texts)
            strength[feature.name] = ranking(values, known, task)
            possible.append(feature)
    chosen = _strongest(possible, strength)
    notes = []
    if len(chosen) < len(possible):
        choice = f"the {len(chosen)} that rank best of {len(possible)}"
        notes.append(Decision("features", choice, "probing more of them takes too long"))
    if before is not None:
        notes.append(Decision("rule of thumb", before.name, before.description))
        return (*chosen, before), before.name, tuple(notes)
    naive = max(chosen, key=lambda f: abs(strength[f.name]))
    auc = (1 + abs(strength[naive.name])) / 2
    if strength[naive.name] < 0:
        turned = _turned(naive, names)
        chosen = [turned if f is naive else f for f in chosen]
        naive = turned
    about = "!rule of thumb" if auc > STRONG_AUC else "rule of thumb"
    said = f"of the early partitions it ranks the outcome best (AUC {auc:.3f})"
    if auc > STRONG_AUC:
        said += f"; above {STRONG_AUC} the gate takes it for a leak: is it known beforehand?"
    notes.append(Decision(about, naive.name, said))
    return tuple(chosen), naive.name, tuple(notes)


def _strongest(possible: list[Feature], strength: dict[str, float]) -> list[Feature]:
    """The strongest, in the order of the file."""
    ranked = sorted(possible, key=lambda f: -abs(strength[f.name]))[:MAX_FEATURES]
    kept = {feature.name for feature in ranked}
    return [feature for feature in possible if feature.name in kept]


def _turned(feature: Feature, names: Names) -> Feature:
    """The same the other way round: the rule of thumb has to rise with the outcome."""
    text = feature.description
    return replace(
        feature,
        name=names.take(feature.name, before="minus_"),
        sql=f"-{feature.sql}" if feature.sql.isidentifier() else f"-({feature.sql})",
        description=f"The less, the likelier. {text}",
        is_passed=False,
    )


def _early(split: "Split") -> np.ndarray:
    names = split.names
    last = names[max(len(names) // 2 - 1, 0)]
    return np.asarray(split.partitions <= last)


def _values(
    feature: Feature, column: PlannedColumn, found: Profile, texts: "pd.Series[str]"
) -> np.ndarray:
    """The feature of some rows, as its SQL makes it."""
    if found.is_number and not feature.word:
        return found.numbers(texts).to_numpy("float64")
    is_there = texts.notna() & ~texts.isin([*found.tokens, *found.sentinels])
    if feature.is_passed:
        said = texts.str.lower().isin(["true", "t", "yes", "y", "1"])
    else:
        said = texts == feature.word
    return said.astype("float64").where(is_there).to_numpy("float64")
