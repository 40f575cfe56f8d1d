"""What a regression that is relative to its rule of thumb must declare: rules of declarations."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from finance_assets.declarations import Mistake, unknown

if TYPE_CHECKING:
    from finance_assets.ml.spec import ModelSpec


def anchor_mistakes(relative_to: str, per: str, spec: "ModelSpec") -> Iterator[Mistake]:
    """What is wrong with `relative_to` and `per`."""
    if per and not relative_to:
        yield Mistake("task.per", f"is {per!r}, but nothing is relative", "set relative_to, too")
    if not relative_to:
        return
    if relative_to != spec.naive:
        yield Mistake(
            "task.relative_to",
            f"is {relative_to!r}, and the rule of thumb is {spec.naive!r}",
            "the same feature: what a model adds is measured against it",
        )
    columns = (relative_to, per) if per else (relative_to,)
    yield from unknown("task.per", columns[1:], spec.feature_names)
    if per == relative_to:
        yield Mistake("task.per", "is the rule of thumb itself", "another feature, or none")
    for column in spec.features.columns:
        if column.name in columns and column.is_nullable:
            yield Mistake(
                "task.relative_to",
                f"{column.name} may be missing, and then there is no forecast",
                f"let {spec.features.table} give it in every row",
            )
    if not set(spec.feature_names) - set(columns):
        yield Mistake(
            "feature_names", "nothing is left to learn from", "another feature than these"
        )
    if spec.is_distributed:
        yield Mistake(
            "is_distributed", "a distributed training predicts the target itself", "leave it out"
        )
