"""What a model's declaration must be to train, score and explain: found when it loads.

Rules over declarations only; whether a gate is whole is the gate's own business (gate.py), what
the tables of the use case must have, step/use_case_rules.py's.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from finance_assets.declarations import (
    Mistake,
    bad_name,
    bad_row_sql,
    below,
    blank,
    repeated,
    unknown,
)
from finance_assets.ml.families import BASELINE, FAMILIES
from finance_assets.ml.tasks.task import SCORED_BY

if TYPE_CHECKING:
    from finance_assets.ml.spec import ModelSpec

NUMBERS = ("int", "bigint", "double", "boolean")


def spec_mistakes(spec: "ModelSpec") -> Iterator[Mistake]:
    """Everything that is wrong with a model's declaration by itself."""
    yield from bad_name("name", spec.name)
    yield from blank("owner", spec.owner)
    yield from blank("purpose", spec.purpose)
    yield from _features(spec)
    yield from _labels(spec)
    yield from _protected(spec)
    yield from _shared_names(spec)
    yield from _training(spec)
    yield from _baseline(spec)
    yield from spec.task.mistakes(spec)
    if spec.gate.task != spec.task.name:
        yield Mistake(
            "gate", f"judges {spec.gate.task} models", f"criteria of the task {spec.task.name}"
        )
    limits = spec.drift
    if not 0 < limits.warning_psi < limits.drift_psi:
        yield Mistake(
            "drift",
            f"warns from {limits.warning_psi}, drifted from {limits.drift_psi}",
            "0 < warning_psi < drift_psi",
        )


def _features(spec: "ModelSpec") -> Iterator[Mistake]:
    contract, types = spec.features, {c.name: c.type for c in spec.features.columns}
    if not spec.feature_names:
        yield Mistake("feature_names", "there is none", f"columns of {contract.table}")
    yield from repeated("feature_names", spec.feature_names)
    yield from unknown("feature_names", spec.feature_names, contract.column_names)
    for name in spec.feature_names:
        if name in (*contract.key, contract.partition_column):
            yield Mistake("feature_names", f"{name!r} identifies rows", "leave it out")
        elif types.get(name, "double") not in NUMBERS and "decimal" not in types[name]:
            yield Mistake(
                "feature_names", f"{name!r} is of type {types[name]}", "features are numbers"
            )
    yield from unknown("naive", [spec.naive], spec.feature_names)
    if contract.partition_column not in contract.key:
        yield Mistake(
            "features",
            f"the key of {contract.table} lacks its partition column",
            f"add {contract.partition_column} to its key: a row is one entity in one partition",
        )


def _labels(spec: "ModelSpec") -> Iterator[Mistake]:
    labels, types = spec.labels, {c.name: c.type for c in spec.labels.columns}
    yield from unknown("target", [spec.target], labels.column_names)
    allowed = spec.task.target_types
    if types.get(spec.target, allowed[0]) not in allowed:
        yield Mistake(
            "target",
            f"{spec.target!r} is of type {types[spec.target]}",
            f"for the task {spec.task.name}: {' or '.join(allowed)}",
        )
    if set(labels.key) != set(spec.features.key):
        yield Mistake(
            "labels",
            f"the key of {labels.table} is {', '.join(labels.key)}",
            f"that of {spec.features.table}: {', '.join(spec.features.key)}",
        )
    yield from below("label_lag", spec.label_lag, 0)
    if (labels.partition_column == spec.partition_column) != (spec.label_lag == 0):
        yield Mistake(
            "label_lag",
            f"is {spec.label_lag}, but {labels.table} is partitioned by {labels.partition_column}",
            f"with a lag of 0 labels lie in the partition of their row ({spec.partition_column}), "
            "else in the one in which they became known",
        )


def _protected(spec: "ModelSpec") -> Iterator[Mistake]:
    if spec.protected is None:
        return
    source, attributes = spec.protected.source, spec.protected.attributes
    yield from repeated("protected", [a.name for a in attributes])
    yield from unknown("protected.source", spec.key, source.column_names)
    others = [name for name in source.key if name not in spec.key]
    if others:
        yield Mistake(
            "protected.source",
            f"{source.table} has a row for each {', '.join(source.key)}, the model one for each "
            f"{', '.join(spec.key)}: which of several rows says the group is left open",
            f"a table without {', '.join(others)} in its key",
        )
    yield from below("protected.min_group_rows", spec.protected.min_group_rows, 1)
    for attribute in attributes:
        yield from bad_name("protected", attribute.name)
        where = f"protected {attribute.name}"
        yield from bad_row_sql(
            where,
            attribute.expression,
            source.column_names,
            "speak of one row; what is aggregated, the table has to hold",
        )


def _shared_names(spec: "ModelSpec") -> Iterator[Mistake]:
    """Names that mean two things. When models are measured and watched, features, outcome, groups
    and what the model says meet as columns of one frame. Its key is the features table's, and
    stands in the predictions, too.
    """
    groups = [a.name for a in spec.protected.attributes] if spec.protected else []
    meets = {spec.task.watched_column, *spec.key, spec.target, *groups}
    met = [c.name for c in (*spec.task.columns(spec), *SCORED_BY) if c.name in meets]
    meanings = {
        "predictions": (f"a column of {spec.name}'s predictions", met),
        "features": (f"a column of {spec.features.table}", spec.features.column_names),
        "target": ("the target", [spec.target]),
        "protected": ("a protected attribute", groups),
    }
    known: dict[str, str] = {}
    for field, (what, names) in meanings.items():
        for name in dict.fromkeys(names):
            if name in known:
                yield Mistake(
                    field,
                    f"{name!r} is {known[name]} and {what}",
                    f"another name for {what}, such as {name}_value",
                )
        known |= dict.fromkeys(names, what)


def _baseline(spec: "ModelSpec") -> Iterator[Mistake]:
    """The rule of thumb serves where it forecasts: a number, not a probability."""
    if spec.baseline_serves and spec.family == BASELINE.name:
        yield Mistake("baseline_serves", "every candidate is the baseline", "another family")
    if spec.task.objective.quantiles:
        return
    what = f"the rule of thumb of the task {spec.task.name} gives no forecast"
    if spec.family == BASELINE.name:
        yield Mistake("family", what, "another family")
    if spec.baseline_serves:
        yield Mistake("baseline_serves", what, "leave it out: nothing is scored before a champion")


def _training(spec: "ModelSpec") -> Iterator[Mistake]:
    yield from unknown("family", [spec.family], sorted(FAMILIES))
    yield from below("rounds", spec.rounds, 1)
    yield from below("holdout_partitions", spec.holdout_partitions, 1)
    yield from below("min_train_partitions", spec.min_train_partitions, 1)
    yield from below("warm_up_partitions", spec.warm_up_partitions, 0)
    if spec.family not in FAMILIES:
        return
    family = FAMILIES[spec.family]
    if spec.is_distributed and not family.is_distributable:
        able = " or ".join(name for name, one in FAMILIES.items() if one.is_distributable)
        yield Mistake("is_distributed", f"{spec.family} trains in one process", f"family {able}")
    fixed = family.fixed(spec.task.objective, is_distributed=spec.is_distributed)
    for name in fixed:
        if name in spec.params:
            yield Mistake("params", f"{name!r} is set by the training", "leave it out")
    known = sorted(family.known)
    yield from unknown("params", [n for n in spec.params if n not in fixed], known)
    if spec.search is None:
        return
    if spec.is_distributed:
        yield Mistake("search", "a distributed training is not searched", "leave one of them out")
    yield from unknown("search.space", spec.search.space, known)
    yield from below("search.trials", spec.search.trials, 1)
    for name, (low, high) in spec.search.space.items():
        if not low < high:
            yield Mistake("search.space", f"{name} from {low} to {high}", "the lower bound first")
