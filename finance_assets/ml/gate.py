"""The gate: criteria over evidence give a `GateReport`; only a passed one promotes.

The judging is here, the criteria themselves are in criteria/, the report in gate_report.py.
Gathering evidence and acting on the report do not belong here. Everything fails
closed: a criterion that cannot be judged is a criterion that failed, and a gate that leaves out
a mandatory criterion, or puts another class in its place, does not load.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from finance_assets.ml.assessment import Assessment
from finance_assets.ml.gate_report import FLOOR, GateReport, Verdict
from finance_assets.ml.metrics import Metrics

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
