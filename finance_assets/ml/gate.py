"""The gate: criteria over evidence give a `GateReport`; only a passed one promotes.

The judging is here, what a criterion is in criterion.py, the report in gate_report.py.
Gathering evidence and acting on the report do not belong here. Everything fails
closed: a criterion that cannot be judged is a criterion that failed, and a gate that leaves out
a mandatory criterion, or puts another class in its place, does not load.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from finance_assets.ml.criterion import Criterion, Evidence, Finding
from finance_assets.ml.gate_report import GateReport, Verdict
from finance_assets.ml.tasks.mandatory import by_default, mandatory_types


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
