"""The gate: criteria over evidence give a `GateReport`; only a passed one promotes.

The judging is here, the criteria themselves are in criteria/, the report in gate_report.py.
Gathering evidence and acting on the report do not belong here. Everything fails
closed: a criterion that cannot be judged is a criterion that failed, and a gate that leaves out
a mandatory criterion, or puts another class in its place, does not load.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from finance_assets.codec import Json
from finance_assets.ml.gate_report import GateReport, Verdict
from finance_assets.ml.tasks.task import Metrics

if TYPE_CHECKING:
    from finance_assets.ml.known import Known

M = TypeVar("M", bound=Metrics)
A = TypeVar("A")


@dataclass(frozen=True)
class Evidence(Generic[M, A]):
    """What the gate judges on: metrics `M` and the assessment `A` of a task.

    All models are measured on the same holdout: `measured` by role (candidate, champion,
    baselines), `unmeasured` with the reason for each that could not be.
    `champion_version` is None only when the champion history was read and names no champion.
    `champion_gone` says why the champion cannot be compared with because its files are gone (not
    merely altered); empty while they are there. `champion_is_baseline`: it is the rule of thumb.
    `expected` holds the tags that the candidate must have if it was trained from today's data
    as of this partition. `data_checks` maps each input window to the names of its failed checks.
    `unassessed` says why there is no assessment, where that is known.
    `retrained_sha256` is the digest of a second training from the candidate's recorded recipe.
    `looks` counts the evaluations on this holdout so far, this one included; 0, not counted, is
    a look that beats no champion. `known` counts the rows whose outcome is known, by partition.
    `env` is the environment in which the gate decides.
    """

    candidate_version: str
    champion_version: str | None
    measured: dict[str, M]
    unmeasured: dict[str, str]
    assessment: A | None
    tags: dict[str, str]
    expected: dict[str, str]
    signature: tuple[str, ...]
    expected_signature: tuple[str, ...]
    champion_signature: tuple[str, ...]
    data_checks: dict[str, tuple[str, ...]]
    artifact_problem: str = ""
    champion_gone: str = ""
    champion_is_baseline: bool = False
    unassessed: str = ""
    retrained_sha256: str = ""
    looks: int = 0
    known: "tuple[Known, ...]" = ()
    env: str = ""

    @property
    def has_champion(self) -> bool:
        """Whether there is a champion to compare with. One whose files are gone is none; one
        whose files were altered is one that cannot be measured, and promotes nobody.
        """
        return self.champion_version is not None and not self.champion_gone

    def metrics(self, role: str) -> M:
        """Metrics of a role.

        Raises:
            ValueError: it was not measured; the message says why.
        """
        if role not in self.measured:
            why = self.unmeasured.get(role, "no record of it")
            raise ValueError(f"the {role} was not measured on the holdout: {why}")
        return self.measured[role]

    @property
    def assessed(self) -> A:
        """The comparison of the models.

        Raises:
            ValueError: there is none, because the candidate could not be measured.
        """
        if self.assessment is None:
            why = self.unassessed or self.unmeasured.get("candidate", "no record of it")
            raise ValueError(f"the candidate was not assessed: {why}")
        return self.assessment


@dataclass(frozen=True)
class Finding:
    """What a criterion observed, whether that is good enough, and what was required."""

    is_passed: bool
    required: str
    observed: str
    evidence: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Criterion(Generic[M, A]):
    """A named condition on the evidence, with the sentence a person reads.

    Subclasses hold their bounds as fields and judge by them. `task` is the only kind of problem
    that it can judge; without one it judges every kind.
    """

    name: ClassVar[str]
    sentence: ClassVar[str]
    task: ClassVar[str] = ""

    def judge(self, evidence: Evidence[M, A]) -> Finding:
        """What the evidence says; whatever is raised counts as failed."""
        raise NotImplementedError


@dataclass(frozen=True)
class Gate:
    """The criteria of a use case, each once, none of the mandatory ones missing or replaced.

    Its task is the one that its criteria judge. Mandatory criteria that need no bound declared
    are added where they are not named. A use case may add criteria of its own under names of
    their own.
    """

    criteria: tuple[Criterion[Any, Any], ...]

    def __post_init__(self) -> None:
        """Complete the gate, and refuse one with a hole.

        Raises:
            ValueError: it is for no task or for several, a mandatory criterion is missing or of
                another class than ours, or one is there twice.
        """
        from finance_assets.ml.tasks.mandatory import by_default, mandatory_types

        tasks = {criterion.task for criterion in self.criteria} - {""}
        if len(tasks) != 1:
            raise ValueError(f"a gate judges one task; its criteria are for {sorted(tasks)}")
        added = [kind() for kind in by_default() if kind.name not in self.names]
        object.__setattr__(self, "criteria", (*self.criteria, *added))
        mandatory = mandatory_types(self.task)
        missing = set(mandatory) - set(self.names)
        if missing or len(set(self.names)) != len(self.names):
            raise ValueError(f"a gate needs each criterion once; missing: {sorted(missing)}")
        for criterion in self.criteria:
            ours, kind = mandatory.get(criterion.name, type(criterion)), type(criterion)
            if kind is not ours or not issubclass(kind, Criterion):
                raise ValueError(
                    f"criterion {criterion.name} is a {kind.__module__}.{kind.__qualname__}, "
                    f"allowed: exactly {ours.__module__}.{ours.__qualname__}"
                )

    @property
    def task(self) -> str:
        """The kind of problem whose candidates it judges."""
        return next(criterion.task for criterion in self.criteria if criterion.task)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the criteria, in the declared order."""
        return tuple(criterion.name for criterion in self.criteria)

    def criterion(self, name: str) -> Criterion[Any, Any]:
        """The criterion of a name.

        Raises:
            KeyError: the gate has none.
        """
        return {criterion.name: criterion for criterion in self.criteria}[name]

    @property
    def digest(self) -> str:
        """SHA-256 of the declared criteria: their classes, order and bounds."""
        declared = [
            (f"{type(c).__module__}.{type(c).__qualname__}", asdict(c)) for c in self.criteria
        ]
        return hashlib.sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()


def evaluate_gate(gate: Gate, evidence: Evidence[Any, Any]) -> GateReport:
    """Judge every criterion; one that raises has failed, with the error as what was observed."""
    from finance_assets.ml.tasks.mandatory import mandatory_types

    return GateReport(
        evidence.candidate_version,
        evidence.champion_version,
        tuple(_judge(criterion, evidence) for criterion in gate.criteria),
        gate.digest,
        tuple(sorted(mandatory_types(gate.task))),
        gate.task,
    )


def _judge(criterion: Criterion[Any, Any], evidence: Evidence[Any, Any]) -> Verdict:
    try:
        # The class's own method: an instance may have been given another.
        finding = type(criterion).judge(criterion, evidence)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, it must not promote
        finding = Finding(False, "a judgement", f"{type(error).__name__}: {error}")
    return Verdict(criterion.name, criterion.sentence, **asdict(finding))
