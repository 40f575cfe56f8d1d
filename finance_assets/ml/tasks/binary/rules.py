"""What the declaration of a binary task must be: found when it loads."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from finance_assets.declarations import Mistake, bad_name, below, repeated, unknown

if TYPE_CHECKING:
    from finance_assets.ml.spec import ModelSpec
    from finance_assets.ml.tasks.binary.task import Binary


def binary_mistakes(task: "Binary", spec: "ModelSpec") -> Iterator[Mistake]:
    """Everything that is wrong with bands, costs and reasons."""
    yield from _bands(task)
    yield from _costs(task)
    yield from _reasons(task, spec)


def _bands(task: "Binary") -> Iterator[Mistake]:
    names, starts = [b.name for b in task.bands], [b.from_score for b in task.bands]
    yield from repeated("bands", names)
    for name in names:
        yield from bad_name("bands", name)
    if len(starts) < 2 or starts[0] != 0 or starts != sorted(set(starts)) or starts[-1] >= 1:
        yield Mistake(
            "bands",
            f"bands from {starts}",
            "two or more, the first from 0, each later one from a higher score, below 1",
        )
    named = {"flagged_band": task.flagged_band}
    if task.reasons:
        named["reasons.band"] = task.reasons.band
    for field, band in named.items():
        if band not in names[1:]:
            yield Mistake(field, f"{band!r} is no band above the lowest", f"one of {names[1:]}")


def _costs(task: "Binary") -> Iterator[Mistake]:
    needless = task.costs.flagged_good - task.costs.passed_good
    missed = task.costs.missed_bad - task.costs.flagged_bad
    if not (needless > 0 and missed > 0):
        yield Mistake(
            "costs",
            "a wrong decision costs no more than a right one",
            "flagged_good above passed_good, missed_bad above flagged_bad",
        )


def _reasons(task: "Binary", spec: "ModelSpec") -> Iterator[Mistake]:
    if task.reasons is None:
        return
    words = task.reasons.words
    yield from unknown("reasons.words", words, spec.feature_names)
    yield from below("reasons.top", task.reasons.top, 1)
    for name in spec.feature_names:
        if not words.get(name, "").strip():
            yield Mistake(
                "reasons.words", f"no words for {name!r}", "plain words for every feature"
            )
