"""The gate: criteria over evidence give a `GateReport`; only a passed one promotes.

The types and the judging are here, the criteria themselves in criteria.py. Gathering evidence
and acting on the report do not belong here. Everything fails closed: a criterion that cannot be
judged is a criterion that failed, and a gate that leaves out a mandatory criterion does not load.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from finance_assets.ml.assessment import Assessment
from finance_assets.ml.metrics import Metrics

# A use case sets the bounds of these; it cannot do without one of them.
MANDATORY = frozenset(
    {
        "discrimination",
        "beats_champion",
        "calibration",
        "business_cost",
        "beats_baselines",
        "stability",
        "fairness",
        "leakage",
        "enough_rows",
        "point_in_time",
        "artifact",
        "signature",
        "required_tags",
        "data_checks",
    }
)


@dataclass(frozen=True)
class Evidence:
    """What the gate judges on.

    All models are measured on the same holdout: `measured` by role (candidate, champion,
    scorecard, naive), `unmeasured` with the reason for each that could not be.
    `champion_version` is None only when the promotion history was read and names no champion.
    `champion_gone` says why the champion cannot be compared with because its files are gone (not
    merely altered); empty while they are there.
    `expected` holds the tags that the candidate must have if it was trained from today's data
    as of this month. `data_checks` maps each input window to the names of its failed checks.
    `retrained_sha256` is the digest of a second training from the candidate's recorded recipe.
    `env` is the environment in which the gate decides.
    """

    candidate_version: str
    champion_version: str | None
    measured: dict[str, Metrics]
    unmeasured: dict[str, str]
    assessment: Assessment | None
    tags: dict[str, str]
    expected: dict[str, str]
    signature: tuple[str, ...]
    expected_signature: tuple[str, ...]
    champion_signature: tuple[str, ...]
    data_checks: dict[str, tuple[str, ...]]
    artifact_problem: str = ""
    champion_gone: str = ""
    retrained_sha256: str = ""
    env: str = ""

    def metrics(self, role: str) -> Metrics:
        """Metrics of a role.

        Raises:
            ValueError: it was not measured; the message says why.
        """
        if role not in self.measured:
            why = self.unmeasured.get(role, "no record of it")
            raise ValueError(f"the {role} was not measured on the holdout: {why}")
        return self.measured[role]

    @property
    def assessed(self) -> Assessment:
        """The comparison of the models.

        Raises:
            ValueError: there is none, because the candidate could not be measured.
        """
        if self.assessment is None:
            why = self.unmeasured.get("candidate", "no record of it")
            raise ValueError(f"the candidate was not assessed: {why}")
        return self.assessment


@dataclass(frozen=True)
class Finding:
    """What a criterion observed, whether that is good enough, and what was required."""

    is_passed: bool
    required: str
    observed: str
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Criterion:
    """A named condition on the evidence, with the sentence a person reads.

    Subclasses hold their bounds as fields and judge by them.
    """

    name: ClassVar[str]
    sentence: ClassVar[str]

    def judge(self, evidence: Evidence) -> Finding:
        """What the evidence says; whatever is raised counts as failed."""
        raise NotImplementedError


@dataclass(frozen=True)
class Gate:
    """The criteria of a use case, each once, none of the mandatory ones missing."""

    criteria: tuple[Criterion, ...]

    def __post_init__(self) -> None:
        """Refuse a gate with a hole.

        Raises:
            ValueError: a mandatory criterion is missing, or one is there twice.
        """
        missing = MANDATORY - set(self.names)
        if missing or len(set(self.names)) != len(self.names):
            raise ValueError(f"a gate needs each criterion once; missing: {sorted(missing)}")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the criteria, in the declared order."""
        return tuple(criterion.name for criterion in self.criteria)


@dataclass(frozen=True)
class Verdict:
    """The judgement of one criterion."""

    name: str
    sentence: str
    is_passed: bool
    required: str
    observed: str
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class GateReport:
    """The judgement on one candidate."""

    candidate_version: str
    champion_version: str | None
    verdicts: tuple[Verdict, ...]

    @property
    def is_passed(self) -> bool:
        """Whether every criterion passed, no mandatory one left out."""
        judged = {verdict.name for verdict in self.verdicts}
        # `is True`: a report read back from a table must not pass on a text or a number.
        return judged >= MANDATORY and all(v.is_passed is True for v in self.verdicts)

    @property
    def failed_criteria(self) -> list[str]:
        """Names of the criteria that did not pass."""
        return [verdict.name for verdict in self.verdicts if not verdict.is_passed]

    def to_json(self) -> str:
        """The report as it is stored with the decision."""
        return json.dumps({**asdict(self), "is_passed": self.is_passed}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "GateReport":
        """Read a stored report back; whether it passed follows from its verdicts."""
        record = json.loads(text)
        verdicts = tuple(Verdict(**verdict) for verdict in record["verdicts"])
        return cls(record["candidate_version"], record["champion_version"], verdicts)


def evaluate_gate(gate: Gate, evidence: Evidence) -> GateReport:
    """Judge every criterion; one that raises has failed, with the error as what was observed."""
    return GateReport(
        evidence.candidate_version,
        evidence.champion_version,
        tuple(_judge(criterion, evidence) for criterion in gate.criteria),
    )


def _judge(criterion: Criterion, evidence: Evidence) -> Verdict:
    try:
        finding = criterion.judge(evidence)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, it must not promote
        finding = Finding(False, "a judgement", f"{type(error).__name__}: {error}")
    return Verdict(criterion.name, criterion.sentence, **asdict(finding))
