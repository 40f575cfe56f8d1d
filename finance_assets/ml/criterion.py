"""The criterion: what a gate judges on, what it finds, and the condition that finds it.

The criteria themselves are in criteria/ and in tasks/<task>/criteria, their list in gate.py.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from finance_assets.codec import Json
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
    `champion_gone` says why the champion cannot be compared with: its files are gone (not merely
    altered), or columns that it takes, by a declared change. Empty while it can be.
    `champion_is_baseline`: it is the rule of thumb.
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
        """Whether there is a champion to compare with. One that is gone is none; one whose files
        were altered is one that cannot be measured, and promotes nobody.
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
