"""The task itself: what a use case declares of a binary problem, and what steps ask of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from finance_assets.codec import Json, of_record
from finance_assets.declarations import Mistake
from finance_assets.lakehouse.contract import Column, RowRule
from finance_assets.ml.estimates import Interval
from finance_assets.ml.evaluation import NAIVE, SCORECARD, Holdout
from finance_assets.ml.families.family import Model, Objective
from finance_assets.ml.tasks.binary.assessment import Assessment, assess
from finance_assets.ml.tasks.binary.auc import auc_gain
from finance_assets.ml.tasks.binary.costs import CostMatrix
from finance_assets.ml.tasks.binary.expected import expected, lost, observed
from finance_assets.ml.tasks.binary.metrics import BinaryMetrics, measure
from finance_assets.ml.tasks.binary.plots import plots
from finance_assets.ml.tasks.binary.reasons import ReasonCodes, explain, reason_columns
from finance_assets.ml.tasks.binary.rules import binary_mistakes
from finance_assets.ml.tasks.binary.scorecard import Scorecard, fit_scorecard
from finance_assets.ml.tasks.task import Metrics, Task

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from finance_assets.ml.spec import ModelSpec

SCORECARD_FILE = "scorecard.json"
# A segment with fewer of either class has no metrics worth reading.
LEAST_OF_A_CLASS = 10


@dataclass(frozen=True)
class Band:
    """A named range of scores: from `from_score` up to the next band's."""

    name: str
    from_score: float


@dataclass(frozen=True)
class Binary(Task):
    """Will the event come? The target is a boolean column: the event to warn of.

    Rows of `flagged_band` and above are acted on. `reasons` say why a row has its score.
    """

    name: ClassVar[str] = "binary"
    output: ClassVar[str] = "score"
    output_text: ClassVar[str] = "Probability of the outcome"
    outcome_type: ClassVar[str] = "int8"
    target_types: ClassVar[tuple[str, ...]] = ("boolean",)
    baselines: ClassVar[tuple[str, ...]] = (SCORECARD, NAIVE)
    metrics: ClassVar[type[Metrics]] = BinaryMetrics
    assessment: ClassVar[type[Any]] = Assessment
    card: ClassVar[str] = "binary"
    headline: ClassVar[dict[str, str]] = {
        "auc": "AUC",
        "pr_auc": "PR-AUC",
        "calibration_error": "calibration error",
    }

    costs: CostMatrix
    bands: tuple[Band, ...]
    flagged_band: str
    reasons: ReasonCodes | None = None

    def band_from(self, name: str) -> float:
        """The score from which a band begins.

        Raises:
            KeyError: there is no such band.
        """
        return {band.name: band.from_score for band in self.bands}[name]

    @property
    def flagged_from(self) -> float:
        """The score from which rows are acted on."""
        return self.band_from(self.flagged_band)

    @property
    def flagged_reason(self) -> str:
        """Where that score comes from, and what the costs say about it."""
        return f"band {self.flagged_band} is acted on; {self.costs.threshold_reason}"

    @property
    def thresholds(self) -> tuple[float, ...]:
        """The scores at which something is decided: where each band but the lowest begins."""
        return tuple(band.from_score for band in self.bands[1:])

    @property
    def objective(self) -> Objective:
        """Families are asked for a probability."""
        return Objective()

    def mistakes(self, spec: "ModelSpec") -> Iterator[Mistake]:
        """Bands, costs and reasons that do not fit together."""
        return binary_mistakes(self, spec)

    def describe(self, outcome: "np.ndarray") -> str:
        """How many positives there are."""
        return str(int(outcome.sum()))

    def can_measure(self, outcome: "np.ndarray") -> bool:
        """Whether there are some positives, and some others."""
        positives = int(outcome.sum())
        return min(positives, len(outcome) - positives) >= LEAST_OF_A_CLASS

    def measure(self, outcome: "np.ndarray", output: "np.ndarray") -> BinaryMetrics:
        """All metrics of probabilities against 0 or 1."""
        return measure(outcome, output)

    def records(self, spec: "ModelSpec", frame: "pd.DataFrame") -> dict[str, Json]:
        """The scorecard is kept with the candidate."""
        card = fit_scorecard(frame, spec.feature_names, spec.target)
        return {SCORECARD_FILE: asdict(card)}

    def baseline(self, role: str, holdout: Holdout, record: Callable[[str], Json]) -> "np.ndarray":
        """The scorecard's probabilities; or the ranks of the rule of thumb, from 0 to 1."""
        if role == SCORECARD:
            return of_record(Scorecard, record(SCORECARD_FILE)).predict(holdout.frame)
        return _ranks(holdout.frame[holdout.spec.naive].to_numpy("float64"))

    def assess(
        self,
        holdout: Holdout,
        outputs: dict[str, "np.ndarray"],
        before: "np.ndarray",
        gain_shares: dict[str, float],
        reseeded: Sequence["np.ndarray"] = (),
    ) -> Assessment:
        """Gains, costs, calibration, groups, stability, and probes for a leak."""
        return assess(self, holdout, outputs, before, gain_shares, reseeded)

    def intervals(self, assessment: Assessment) -> dict[str, Interval]:
        """The recalibration, and the gains in AUC over other models on the same rows."""
        line = assessment.recalibration
        gains = {
            f"gain_over_{role}": g.over_rows.interval() for role, g in assessment.gains.items()
        }
        return {"calibration_slope": line.slope, "calibration_shift": line.shift, **gains}

    def may_beat(self, holdout: Holdout, candidate: "np.ndarray", champion: "np.ndarray") -> bool:
        """Whether the gain in AUC could pass the gate's bound."""
        bound: float = vars(holdout.spec.gate.criterion("beats_champion"))["min_gain"]
        gain = auc_gain(holdout.outcome, candidate, champion, clusters=holdout.clusters)
        return gain.may_exceed(bound)

    def watched(self, output: "np.ndarray", frame: "pd.DataFrame") -> "np.ndarray":
        """Drift of the score is watched."""
        return output

    def said(self, predictions: "pd.DataFrame") -> "np.ndarray":
        """The scores of stored predictions."""
        return predictions[self.output].to_numpy("float64")

    def expected(self, output: "np.ndarray") -> dict[str, Interval]:
        """Confidence-based: what scores that are probabilities would bring."""
        return expected(output, self.costs, self.flagged_from)

    def observed(self, outcome: "np.ndarray", output: "np.ndarray") -> dict[str, Interval]:
        """AUC, Brier score, rate, cost, and the level in log-odds."""
        return observed(outcome, output, self.costs, self.flagged_from)

    def lost(self, expected: dict[str, Interval], observed: dict[str, Interval]) -> Interval | None:
        """Of the power to rank: AUC over one half."""
        return lost(expected, observed)

    def columns(self, spec: "ModelSpec") -> tuple[Column, ...]:
        """Score, band, and the reasons of rows of their band and above."""
        codes = self.reasons
        reasons = tuple(
            Column(
                name,
                "string",
                f"{place}. strongest reason that raised the score (band {codes.band} and up)",
                is_nullable=True,
            )
            for place, name in enumerate(reason_columns(codes), 1)
            if codes
        )
        return (
            Column("score", "double", self.output_text),
            Column("band", "string", "Declared range that the score falls into"),
            *reasons,
        )

    def row_rules(self, spec: "ModelSpec") -> tuple[RowRule, ...]:
        """A score is a probability, a band a declared one."""
        bands = ", ".join(f"'{band.name}'" for band in self.bands)
        return (
            RowRule("score_range", "score >= 0 AND score <= 1", "A score is a probability."),
            RowRule("band_known", f"band IN ({bands})", "Only declared bands exist."),
        )

    def scored(self, model: Model, batch: "pd.DataFrame") -> dict[str, "np.ndarray"]:
        """Score and reasons."""
        import numpy as np

        inputs = model.inputs(batch)
        score = model.predict(inputs, threads=1)
        if self.reasons is None:
            return {"score": score}
        found = explain(model, self.reasons, inputs, score, self.band_from(self.reasons.band))
        words = {name: np.array(said, dtype=object) for name, said in found.items()}
        return {"score": score, **words}

    def derived(self) -> dict[str, str]:
        """The band of a score."""
        ordered = sorted(self.bands, key=lambda band: -band.from_score)
        cases = " ".join(
            f"WHEN score >= {band.from_score!r}D THEN '{band.name}'" for band in ordered
        )
        return {"band": f"CASE {cases} END"}

    def plots(
        self, holdout: Holdout, outputs: dict[str, "np.ndarray"], assessment: Assessment
    ) -> dict[str, bytes]:
        """ROC, calibration, lift, and how the groups fare."""
        return plots(holdout.outcome, outputs, assessment)


def _ranks(values: "np.ndarray") -> "np.ndarray":
    """Ranks among the rows, from 0 to 1; missing values rank lowest."""
    import numpy as np
    from scipy.stats import rankdata

    known = np.nan_to_num(values, nan=values[~np.isnan(values)].min())
    return np.asarray(rankdata(known) / len(values))
