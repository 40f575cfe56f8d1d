"""The gate: criteria over evidence give a `GateReport`; only a passed one promotes.

The types and the judging are here, the criteria themselves in criteria/. Gathering evidence
and acting on the report do not belong here. Everything fails closed: a criterion that cannot be
judged is a criterion that failed, and a gate that leaves out a mandatory criterion, or puts
another class in its place, does not load.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from finance_assets.ml.assessment import Assessment
from finance_assets.ml.metrics import Metrics

# No report passes without these, whatever set it says it was judged by. Never shrinks; a
# criterion that becomes mandatory later joins MANDATORY alone, so that old reports stay valid.
FLOOR = frozenset(
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
# A use case sets the bounds of these; it cannot do without one of them.
MANDATORY = FLOOR


@dataclass(frozen=True)
class Evidence:
    """What the gate judges on.

    All models are measured on the same holdout: `measured` by role (candidate, champion,
    scorecard, naive), `unmeasured` with the reason for each that could not be.
    `champion_version` is None only when the champion history was read and names no champion.
    `champion_gone` says why the champion cannot be compared with because its files are gone (not
    merely altered); empty while they are there.
    `expected` holds the tags that the candidate must have if it was trained from today's data
    as of this month. `data_checks` maps each input window to the names of its failed checks.
    `retrained_sha256` is the digest of a second training from the candidate's recorded recipe.
    `looks` counts the evaluations on this holdout so far, this one included; 0, not counted, is
    a look that beats no champion.
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
    looks: int = 0
    env: str = ""

    @property
    def has_champion(self) -> bool:
        """Whether there is a champion to compare with. One whose files are gone is none; one
        whose files were altered is one that cannot be measured, and promotes nobody.
        """
        return self.champion_version is not None and not self.champion_gone

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
    """The criteria of a use case, each once, none of the mandatory ones missing or replaced.

    A use case may add criteria of its own under names of their own.
    """

    criteria: tuple[Criterion, ...]

    def __post_init__(self) -> None:
        """Refuse a gate with a hole.

        Raises:
            ValueError: a mandatory criterion is missing or of another class than ours, or one
                is there twice.
        """
        from finance_assets.ml.criteria import MANDATORY_TYPES

        missing = MANDATORY - set(self.names)
        if missing or len(set(self.names)) != len(self.names):
            raise ValueError(f"a gate needs each criterion once; missing: {sorted(missing)}")
        for criterion in self.criteria:
            ours, kind = MANDATORY_TYPES.get(criterion.name, type(criterion)), type(criterion)
            if kind is not ours or not issubclass(kind, Criterion):
                raise ValueError(
                    f"criterion {criterion.name} is a {kind.__module__}.{kind.__qualname__}, "
                    f"allowed: exactly {ours.__module__}.{ours.__qualname__}"
                )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the criteria, in the declared order."""
        return tuple(criterion.name for criterion in self.criteria)

    @property
    def digest(self) -> str:
        """SHA-256 of the declared criteria: their classes, order and bounds."""
        declared = [
            (f"{type(c).__module__}.{type(c).__qualname__}", asdict(c)) for c in self.criteria
        ]
        return hashlib.sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()


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
    """The judgement on one candidate.

    `gate_digest` is the digest of the gate that judged, `mandatory` the criteria that no gate
    could leave out at that time.
    """

    candidate_version: str
    champion_version: str | None
    verdicts: tuple[Verdict, ...]
    gate_digest: str = ""
    mandatory: tuple[str, ...] = ()

    @property
    def is_passed(self) -> bool:
        """Whether every criterion passed, none left out of the set that was mandatory then.

        That set is the report's own, so that a criterion which becomes mandatory later does not
        undo it; but never less than the first fourteen. A report that does not name its gate
        has passed none.
        """
        judged = [verdict.name for verdict in self.verdicts]
        is_whole = set(judged) >= FLOOR | set(self.mandatory) and len(set(judged)) == len(judged)
        # `is True`: a report read back from a table must not pass on a text or a number.
        return bool(
            self.gate_digest and is_whole and all(v.is_passed is True for v in self.verdicts)
        )

    @property
    def failed_criteria(self) -> list[str]:
        """Names of the criteria that did not pass."""
        return [verdict.name for verdict in self.verdicts if verdict.is_passed is not True]

    def to_json(self) -> str:
        """The report as it is stored with the decision."""
        return json.dumps({**asdict(self), "is_passed": self.is_passed}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "GateReport":
        """Read a stored report back; whether it passed follows from its verdicts."""
        record = json.loads(text)
        return cls(
            record["candidate_version"],
            record["champion_version"],
            tuple(Verdict(**verdict) for verdict in record["verdicts"]),
            record.get("gate_digest", ""),
            tuple(record.get("mandatory", ())),
        )


def evaluate_gate(gate: Gate, evidence: Evidence) -> GateReport:
    """Judge every criterion; one that raises has failed, with the error as what was observed."""
    return GateReport(
        evidence.candidate_version,
        evidence.champion_version,
        tuple(_judge(criterion, evidence) for criterion in gate.criteria),
        gate.digest,
        tuple(sorted(MANDATORY)),
    )


def _judge(criterion: Criterion, evidence: Evidence) -> Verdict:
    try:
        # The class's own method: an instance may have been given another.
        finding = type(criterion).judge(criterion, evidence)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, it must not promote
        finding = Finding(False, "a judgement", f"{type(error).__name__}: {error}")
    return Verdict(criterion.name, criterion.sentence, **asdict(finding))
