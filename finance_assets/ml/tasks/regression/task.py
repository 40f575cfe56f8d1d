"""The task itself: what a use case declares of a regression, and what steps ask of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from finance_assets.codec import Json, of_record
from finance_assets.declarations import Mistake, below, blank
from finance_assets.lakehouse.contract import Column, RowRule
from finance_assets.ml.estimates import Interval
from finance_assets.ml.evaluation import NAIVE, Holdout
from finance_assets.ml.families import BASELINE, Anchor
from finance_assets.ml.families.family import Model, Objective
from finance_assets.ml.tasks.regression.anchoring import anchor_mistakes
from finance_assets.ml.tasks.regression.assessment import (
    RegressionAssessment,
    assess,
    gain_over,
)
from finance_assets.ml.tasks.regression.expected import expected, lost, observed
from finance_assets.ml.tasks.regression.metrics import HIGH, LOW, MIDDLE, RegressionMetrics, measure
from finance_assets.ml.tasks.regression.plots import plots
from finance_assets.ml.tasks.task import Metrics, Task

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from finance_assets.ml.spec import ModelSpec

NAIVE_FILE = "naive.json"
BEYOND = "beyond_naive"
# A segment with fewer rows has no metrics worth reading.
MIN_ROWS = 30


@dataclass(frozen=True)
class Missed:
    """By how much outcomes missed the rule of thumb in training: the ends of its interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Regression(Task):
    """How much will it be? The target is a number; the forecast is a median with an interval.

    The rule of thumb says the plain value of the feature `naive` of the model. `unit` is the
    target's, for people. `coverage` is the share of outcomes that the interval shall hold.
    Errors of `block_rows` rows that follow each other in the order of partition and key are taken
    to hang together (1: they are independent); take the horizon of the forecast, in rows. Blocks
    for intervals are made longer by themselves.

    `relative_to`: models say what the rule of thumb, which is this feature, misses, and the
    forecast is both together. A tree cannot say a level that it never saw, such as a rate's or a
    price's. What is missed is counted in units of the feature `per`, such as how much is usual at
    that time; the interval of the rule of thumb is, too. No model learns from these two features.
    """

    name: ClassVar[str] = "regression"
    output: ClassVar[str] = "prediction"
    output_text: ClassVar[str] = "Median of what is to be expected"
    outcome_type: ClassVar[str] = "float64"
    target_types: ClassVar[tuple[str, ...]] = ("double", "int", "bigint")
    baselines: ClassVar[tuple[str, ...]] = (NAIVE,)
    metrics: ClassVar[type[Metrics]] = RegressionMetrics
    assessment: ClassVar[type[Any]] = RegressionAssessment
    card: ClassVar[str] = "regression"
    headline: ClassVar[dict[str, str]] = {
        "mae": "MAE",
        "smape": "sMAPE",
        "coverage": "coverage",
    }

    unit: str
    coverage: float = 0.8
    block_rows: int = 1
    relative_to: str = ""
    per: str = ""

    @property
    def quantiles(self) -> tuple[float, float, float]:
        """Levels of the interval's ends and, between them, the median."""
        tail = (1 - self.coverage) / 2
        return round(tail, 9), 0.5, round(1 - tail, 9)

    @property
    def objective(self) -> Objective:
        """Families are asked for three quantiles: interval and median."""
        return Objective(self.quantiles)

    def mistakes(self, spec: "ModelSpec") -> Iterator[Mistake]:
        """A unit that says nothing, an interval that is none or that the gate judges as another,
        blocks without rows.
        """
        yield from blank("task.unit", self.unit)
        yield from below("task.block_rows", self.block_rows, 1)
        if not 0.5 <= self.coverage <= 0.99:
            yield Mistake("task.coverage", f"is {self.coverage}", "a share from 0.5 to 0.99")
        judged = {c.name: vars(c) for c in spec.gate.criteria}.get("interval_coverage", {})
        if judged.get("coverage", self.coverage) != self.coverage:
            yield Mistake(
                "gate interval_coverage",
                f"judges intervals of {judged['coverage']}, and the task promises {self.coverage}",
                f"IntervalCoverage(coverage={self.coverage}), or Regression(coverage="
                f"{judged['coverage']})",
            )
        yield from anchor_mistakes(self.relative_to, self.per, spec)

    def anchor(self, spec: "ModelSpec") -> Anchor | None:
        """The rule of thumb, where models are relative to it; it is all of the baseline."""
        is_anchored = self.relative_to or spec.family == BASELINE.name
        return Anchor(spec.naive, self.per) if is_anchored else None

    @property
    def watched_column(self) -> str:
        """The level of what is forecast moves with the world; what is added to it need not."""
        return BEYOND if self.relative_to else self.output

    def describe(self, outcome: "np.ndarray") -> str:
        """Their sum, to twelve digits."""
        return f"sum {float(outcome.sum()):.12g}"

    def can_measure(self, outcome: "np.ndarray") -> bool:
        """Whether there are some rows."""
        return len(outcome) >= MIN_ROWS

    def measure(self, outcome: "np.ndarray", output: "np.ndarray") -> RegressionMetrics:
        """All metrics of forecasts against numbers."""
        return measure(outcome, output, self.quantiles)

    def records(self, spec: "ModelSpec", frame: "pd.DataFrame") -> dict[str, Json]:
        """How far the rule of thumb was off in training: the ends of its interval."""
        missed = Anchor(spec.naive, self.per).missed(frame[spec.target], frame).dropna()
        low, _, high = missed.quantile(list(self.quantiles)).tolist()
        return {NAIVE_FILE: asdict(Missed(low, high))}

    def baseline(self, role: str, holdout: Holdout, record: Callable[[str], Json]) -> "np.ndarray":
        """The plain feature, with the interval of its errors in training."""
        import numpy as np

        missed = of_record(Missed, record(NAIVE_FILE))
        said = holdout.frame[holdout.spec.naive].to_numpy("float64")
        unit = holdout.frame[self.per].to_numpy("float64") if self.per else 1.0
        return np.column_stack([said + unit * missed.low, said, said + unit * missed.high])

    def assess(
        self,
        holdout: Holdout,
        outputs: dict[str, "np.ndarray"],
        before: "np.ndarray",
        gain_shares: dict[str, float],
        reseeded: Sequence["np.ndarray"] = (),
    ) -> RegressionAssessment:
        """Skill, bias, coverage, groups, stability, and probes for a leak."""
        return assess(self, holdout, outputs, before, gain_shares, reseeded)

    def intervals(self, assessment: RegressionAssessment) -> dict[str, Interval]:
        """Bias, coverage, and what is saved over other models on the same rows."""
        return {
            "relative_error": assessment.relative_error.interval(),
            "bias_share": assessment.bias.interval(),
            "coverage_rate": assessment.coverage.interval(),
            **{f"gain_over_{r}": gain.over_rows.interval() for r, gain in assessment.gains.items()},
        }

    def may_beat(self, holdout: Holdout, candidate: "np.ndarray", champion: "np.ndarray") -> bool:
        """Whether what is saved over the champion could pass the gate's bound."""
        bound: float = vars(holdout.spec.gate.criterion("beats_champion"))["min_gain"]
        naive = holdout.frame[holdout.spec.naive].to_numpy("float64")[:, None].repeat(3, axis=1)
        gain = gain_over(holdout.outcome, candidate, champion, naive, self.block_rows)
        return gain.may_exceed(bound)

    def watched(self, output: "np.ndarray", frame: "pd.DataFrame") -> "np.ndarray":
        """The median; of a relative model, what it adds to the rule of thumb."""
        import numpy as np

        middle = output[:, MIDDLE]
        if self.relative_to:
            middle = Anchor(self.relative_to, self.per).missed(middle, frame)
        return np.asarray(middle, dtype="float64")

    def said(self, predictions: "pd.DataFrame") -> "np.ndarray":
        """Median and interval of stored predictions."""
        columns = ["prediction_low", "prediction", "prediction_high"]
        return predictions[columns].to_numpy("float64")

    def expected(self, output: "np.ndarray") -> dict[str, Interval]:
        """Interval-based: what intervals that hold their share would bring."""
        return expected(output, self.coverage, self.block_rows)

    def observed(self, outcome: "np.ndarray", output: "np.ndarray") -> dict[str, Interval]:
        """Error, coverage, and the level in widths of the interval."""
        return observed(outcome, output, self.coverage, self.block_rows)

    def lost(self, expected: dict[str, Interval], observed: dict[str, Interval]) -> Interval | None:
        """Of the error: the share that was not to be expected."""
        return lost(expected, observed)

    def columns(self, spec: "ModelSpec") -> tuple[Column, ...]:
        """The median and the ends of the interval."""
        share = f"{self.coverage:.0%}"
        return (
            Column("prediction", "double", self.output_text, unit=self.unit),
            Column(
                "prediction_low", "double", f"Lower end of the {share} interval", unit=self.unit
            ),
            Column(
                "prediction_high", "double", f"Upper end of the {share} interval", unit=self.unit
            ),
            *self._beyond(),
        )

    def _beyond(self) -> tuple[Column, ...]:
        if not self.relative_to:
            return ()
        text = f"What the median adds to {self.relative_to}, the rule of thumb"
        return (Column(BEYOND, "double", text, unit=self.per or self.unit),)

    def row_rules(self, spec: "ModelSpec") -> tuple[RowRule, ...]:
        """The median lies in its interval."""
        return (
            RowRule(
                "interval_ordered",
                "prediction_low <= prediction AND prediction <= prediction_high",
                "An interval holds its median.",
            ),
        )

    def scored(self, model: Model, batch: "pd.DataFrame") -> dict[str, "np.ndarray"]:
        """Median and interval, and what is added to the rule of thumb."""
        found = model.predict(model.inputs(batch), threads=1)
        beyond = {BEYOND: self.watched(found, batch)} if self.relative_to else {}
        return {
            "prediction": found[:, MIDDLE],
            "prediction_low": found[:, LOW],
            "prediction_high": found[:, HIGH],
            **beyond,
        }

    def plots(
        self,
        holdout: Holdout,
        outputs: dict[str, "np.ndarray"],
        assessment: RegressionAssessment,
    ) -> dict[str, bytes]:
        """Forecast against outcome over time, and how errors are spread."""
        return plots(holdout, outputs)
