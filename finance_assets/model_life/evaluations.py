"""Evaluations: what was measured as of a partition, in memory and as rows of the long table.

Measuring is measuring.py's business, judging judging.py's.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from finance_assets.codec import from_json, of_record, to_json
from finance_assets.lakehouse.contract import Contract, RowRule
from finance_assets.lakehouse.record import columns_of, described
from finance_assets.ml.evaluation import ALL, CANDIDATE, CHAMPION
from finance_assets.ml.families import family_of
from finance_assets.ml.known import Known
from finance_assets.ml.model_files import digest
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.tasks.task import Metrics, Task

# What a role's rows say beside its metrics.
PROBLEM, ASSESSMENT, UNASSESSED, LOOK = "problem", "assessment", "unassessed", "look"
RETRAINED, TRAIN_ROWS, TRAIN_OUTCOMES = "retrained_sha256", "train_rows", "train_outcomes"
DECLARED, KNOWN = "declared_sha256", "known_outcomes"


@dataclass(frozen=True)
class Measurement:
    """One figure of one role on one segment, or a text that goes with it."""

    as_of: str = described("Partition as of which the candidate was trained")
    role: str = described("candidate, champion, or a baseline")
    segment: str = described("'all', or partition or group as `column=value`")
    metric: str = described("Name of the figure")
    value: float | None = described("The figure; null for a text")
    low: float | None = described("Lower end of its 95 % interval, where one was computed")
    high: float | None = described("Upper end of the same")
    note: str | None = described("A text: why nothing could be measured, a digest, JSON")
    model_version: str = described("Version in the model registry")
    model_sha256: str = described("Digest of its text; empty if it could not be read")


def evaluation_contract(spec: ModelSpec) -> Contract:
    """One row per as-of partition, role, segment of the holdout and figure."""
    roles = ", ".join(f"'{role}'" for role in (CANDIDATE, CHAMPION, *spec.task.baselines))
    return Contract(
        table=f"models.{spec.name}_evaluation",
        description="Candidate, champion and baselines on the same temporal holdout, as a whole, "
        "by partition and by protected group: one row a figure.",
        columns=columns_of(Measurement),
        key=("as_of", "role", "segment", "metric"),
        partition_column="as_of",
        row_rules=(
            RowRule("role_known", f"role IN ({roles})", "Only these are measured."),
            RowRule(
                "says_something",
                "value IS NOT NULL OR note IS NOT NULL",
                "A row is a figure or a text.",
            ),
        ),
        min_rows=1,
    )


def declared_digest(spec: ModelSpec) -> str:
    """Digest of what the figures hang on beside models, rows and code: task, groups, library."""
    held = spec.protected
    groups = (held.source.table, held.attributes, held.min_group_rows) if held else ()
    rows = (spec.feature_names, spec.naive, spec.target)
    return digest(repr((spec.task, groups, rows, family_of(spec.family).library)))


@dataclass(frozen=True)
class Contender:
    """A role: which model it was, its metrics by segment, or why there are none."""

    role: str
    model_version: str
    model_sha256: str
    metrics: Mapping[str, Metrics]
    problem: str = ""

    @property
    def whole(self) -> Metrics | None:
        """Its metrics over the whole holdout."""
        return self.metrics.get(ALL)


@dataclass(frozen=True)
class Evaluation:
    """Everything that was measured as of a partition.

    `unassessed` says why there is no assessment. `look` counts the looks at this holdout by
    then, `retrained_sha256` is the digest of a second training; `train_rows` and
    `train_outcomes` say what there is to train on. `declared_sha256` is `declared_digest` then.
    `known` counts the rows whose outcome was known, by partition.
    """

    as_of: str
    contenders: tuple[Contender, ...]
    assessment: Any = None
    unassessed: str = ""
    look: int = 0
    retrained_sha256: str = ""
    train_rows: str = ""
    train_outcomes: str = ""
    declared_sha256: str = ""
    known: tuple[Known, ...] = ()

    def of_role(self, role: str) -> Contender | None:
        """The contender of a role."""
        return next((one for one in self.contenders if one.role == role), None)

    def measurements(self, task: Task) -> list[Measurement]:
        """The rows of the table."""
        rows = [row for one in self.contenders for row in self._of(one)]
        own = self.of_role(CANDIDATE)
        if own is None:
            return rows
        texts = {RETRAINED: self.retrained_sha256, TRAIN_OUTCOMES: self.train_outcomes}
        texts |= {TRAIN_ROWS: self.train_rows, DECLARED: self.declared_sha256}
        texts[KNOWN] = json.dumps([asdict(one) for one in self.known])
        if self.unassessed:
            texts[UNASSESSED] = self.unassessed
        if self.assessment is not None:
            texts[ASSESSMENT] = to_json(self.assessment)
            rows += [
                self._row(own, ALL, name, found.value, found.low, found.high)
                for name, found in task.intervals(self.assessment).items()
            ]
        rows.append(self._row(own, ALL, LOOK, float(self.look)))
        return rows + [self._row(own, ALL, k, note=text) for k, text in texts.items()]

    def _of(self, one: Contender) -> list[Measurement]:
        if one.problem:
            return [self._row(one, ALL, PROBLEM, note=one.problem)]
        return [
            self._row(one, segment, name, float(value))
            for segment, metrics in one.metrics.items()
            for name, value in metrics.values().items()
        ]

    def _row(
        self,
        one: Contender,
        segment: str,
        metric: str,
        value: float | None = None,
        low: float | None = None,
        high: float | None = None,
        note: str | None = None,
    ) -> Measurement:
        return Measurement(
            as_of=self.as_of,
            role=one.role,
            segment=segment,
            metric=metric,
            value=value,
            low=low,
            high=high,
            note=note,
            model_version=one.model_version,
            model_sha256=one.model_sha256,
        )


def evaluations_of(task: Task, rows: Iterable[Measurement]) -> dict[str, Evaluation]:
    """The evaluation of each as-of partition from its rows."""
    by_partition: dict[str, list[Measurement]] = {}
    for row in rows:
        by_partition.setdefault(row.as_of, []).append(row)
    return {as_of: _evaluation(task, as_of, found) for as_of, found in by_partition.items()}


def _evaluation(task: Task, as_of: str, rows: list[Measurement]) -> Evaluation:
    roles = dict.fromkeys(row.role for row in rows)
    own = {row.metric: row for row in rows if (row.role, row.segment) == (CANDIDATE, ALL)}

    def text(name: str) -> str:
        return (own[name].note or "") if name in own else ""

    look = own[LOOK].value if LOOK in own else None
    return Evaluation(
        as_of=as_of,
        contenders=tuple(
            _contender(task, role, [row for row in rows if row.role == role]) for role in roles
        ),
        assessment=from_json(task.assessment, text(ASSESSMENT)) if text(ASSESSMENT) else None,
        unassessed=text(UNASSESSED),
        look=int(look or 0),
        retrained_sha256=text(RETRAINED),
        train_rows=text(TRAIN_ROWS),
        train_outcomes=text(TRAIN_OUTCOMES),
        declared_sha256=text(DECLARED),
        known=tuple(of_record(Known, one) for one in json.loads(text(KNOWN) or "[]")),
    )


def _contender(task: Task, role: str, rows: list[Measurement]) -> Contender:
    problem = next((row.note or "" for row in rows if row.metric == PROBLEM), "")
    figures: dict[str, dict[str, float]] = {}
    for row in rows if not problem else ():
        if row.value is not None:
            figures.setdefault(row.segment, {})[row.metric] = row.value
    metrics: dict[str, Metrics] = {}
    try:
        metrics = {segment: task.metrics.of(found) for segment, found in figures.items()}
    except LookupError as error:
        problem = f"its rows are incomplete: {error}"
    return Contender(role, rows[0].model_version, rows[0].model_sha256, metrics, problem)
