"""The gate: declared criteria over evidence give a `GateReport`; only a passed one promotes.

Gathering evidence and acting on the report do not belong here. Everything fails closed: a
criterion that cannot be judged is a criterion that failed.
"""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass

from finance_assets.ml.metrics import Metrics
from finance_assets.ml.spec import GateLimits

REQUIRED_TAGS = (
    "use_case",
    "env",
    "owner",
    "git_sha",
    "dataset_version",
    "model_family",
    "train_window",
)


@dataclass(frozen=True)
class Evidence:
    """What the gate judges on.

    Candidate and champion are measured on the same holdout. `champion` is None only when the
    promotion history was read and names no champion. `data_checks` maps each input window to
    the names of its failed checks.
    """

    candidate_version: str
    candidate: Metrics | None
    champion_version: str | None
    champion: Metrics | None
    tags: dict[str, str]
    signature: tuple[str, ...]
    expected_signature: tuple[str, ...]
    data_checks: dict[str, tuple[str, ...]]
    limits: GateLimits


@dataclass(frozen=True)
class Finding:
    """What a criterion observed, whether that is good enough, and what was required."""

    is_passed: bool
    required: str
    observed: str


@dataclass(frozen=True)
class Criterion:
    """A named condition on the evidence, with the sentence a person reads."""

    name: str
    sentence: str
    judge: Callable[[Evidence], Finding]


@dataclass(frozen=True)
class Verdict:
    """The judgement of one criterion."""

    name: str
    sentence: str
    is_passed: bool
    required: str
    observed: str


@dataclass(frozen=True)
class GateReport:
    """The judgement on one candidate."""

    candidate_version: str
    champion_version: str | None
    verdicts: tuple[Verdict, ...]

    @property
    def is_passed(self) -> bool:
        """Whether every criterion passed, and every one that exists was judged."""
        judged = [verdict.name for verdict in self.verdicts]
        complete = judged == [criterion.name for criterion in CRITERIA]
        return complete and all(verdict.is_passed for verdict in self.verdicts)

    @property
    def failed_criteria(self) -> list[str]:
        """Names of the criteria that did not pass."""
        return [verdict.name for verdict in self.verdicts if not verdict.is_passed]

    def to_json(self) -> str:
        """The report as it is stored with the decision."""
        return json.dumps({**asdict(self), "is_passed": self.is_passed}, sort_keys=True)


def evaluate_gate(evidence: Evidence) -> GateReport:
    """Judge every criterion; one that raises has failed, with the error as what was observed."""
    return GateReport(
        evidence.candidate_version,
        evidence.champion_version,
        tuple(_judge(criterion, evidence) for criterion in CRITERIA),
    )


def _judge(criterion: Criterion, evidence: Evidence) -> Verdict:
    try:
        finding = criterion.judge(evidence)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, it must not promote
        finding = Finding(False, "a judgement", f"{type(error).__name__}: {error}")
    return Verdict(criterion.name, criterion.sentence, **asdict(finding))


def _metrics(metrics: Metrics | None, whose: str) -> Metrics:
    if metrics is None:
        raise ValueError(f"{whose} was not measured on the holdout")
    return metrics


def _finite(value: float, what: str) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{what} is {value}")
    return value


def _auc_floor(evidence: Evidence) -> Finding:
    auc = _finite(_metrics(evidence.candidate, "the candidate").auc, "AUC")
    floor = evidence.limits.min_auc
    return Finding(auc >= floor, f"AUC >= {floor}", f"AUC {auc:.4f}")


def _beats_champion(evidence: Evidence) -> Finding:
    candidate = _finite(_metrics(evidence.candidate, "the candidate").auc, "AUC")
    if evidence.champion_version is None:
        return Finding(True, "no champion to beat", f"AUC {candidate:.4f}, no champion yet")
    champion = _finite(_metrics(evidence.champion, "the champion").auc, "the champion's AUC")
    gain = evidence.limits.min_auc_gain
    return Finding(
        candidate >= champion + gain,
        f"AUC >= {champion:.4f} of champion v{evidence.champion_version} + {gain}",
        f"AUC {candidate:.4f}",
    )


def _calibration(evidence: Evidence) -> Finding:
    error = _metrics(evidence.candidate, "the candidate").calibration_error
    error, bound = _finite(error, "calibration error"), evidence.limits.max_calibration_error
    return Finding(error <= bound, f"calibration error <= {bound}", f"{error:.4f}")


def _enough_rows(evidence: Evidence) -> Finding:
    metrics, limits = _metrics(evidence.candidate, "the candidate"), evidence.limits
    return Finding(
        metrics.rows >= limits.min_rows and metrics.positives >= limits.min_positives,
        f">= {limits.min_rows} rows, >= {limits.min_positives} positives",
        f"{metrics.rows} rows, {metrics.positives} positives",
    )


def _required_tags(evidence: Evidence) -> Finding:
    missing = [tag for tag in REQUIRED_TAGS if not evidence.tags.get(tag)]
    return Finding(
        not missing, ", ".join(REQUIRED_TAGS), f"missing: {missing}" if missing else "all there"
    )


def _signature(evidence: Evidence) -> Finding:
    return Finding(
        bool(evidence.signature) and evidence.signature == evidence.expected_signature,
        ", ".join(evidence.expected_signature),
        ", ".join(evidence.signature) or "no signature",
    )


def _data_checks(evidence: Evidence) -> Finding:
    failed = {window: names for window, names in evidence.data_checks.items() if names}
    return Finding(
        bool(evidence.data_checks) and not failed,
        "every input window published with all checks passed",
        json.dumps(failed) if failed else f"{len(evidence.data_checks)} input windows",
    )


CRITERIA: tuple[Criterion, ...] = (
    Criterion("auc_floor", "The candidate tells good from bad well enough.", _auc_floor),
    Criterion(
        "beats_champion", "It does so at least as well as the champion today.", _beats_champion
    ),
    Criterion("calibration", "Its probabilities mean what they say.", _calibration),
    Criterion("enough_rows", "The holdout is large enough to say so.", _enough_rows),
    Criterion("required_tags", "It can be traced: every required tag is set.", _required_tags),
    Criterion("signature", "It takes exactly the declared features.", _signature),
    Criterion("data_checks", "Every input window passed its data checks.", _data_checks),
)
