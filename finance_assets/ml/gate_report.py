"""Gate reports: what a gate found of one candidate, kept with the decision and the event.

Whether a report is a passed one follows from its verdicts alone, whoever stored it.
"""

import json
from dataclasses import asdict, dataclass, field

from finance_assets.codec import Json

# No report on a task passes without these, whatever set it says it was judged by. A set never
# shrinks; a criterion that becomes mandatory later is not added here, so that old reports stay
# valid.
_EVERY = frozenset(
    {
        "beats_champion",
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
BASELINE_TASK = "baseline"
FLOORS: dict[str, frozenset[str]] = {
    "binary": _EVERY | {"discrimination", "calibration", "business_cost", "beats_baselines"},
    "regression": _EVERY | {"accuracy", "bias", "interval_coverage", "beats_baseline"},
    # No gate judges the rule of thumb where it is installed as the first champion; the chain
    # takes such a report for nothing else.
    BASELINE_TASK: frozenset({"rule_of_thumb"}),
}


@dataclass(frozen=True)
class Verdict:
    """The judgement of one criterion."""

    name: str
    sentence: str
    is_passed: bool
    required: str
    observed: str
    evidence: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class GateReport:
    """The judgement on one candidate.

    `gate_digest` is the digest of the gate that judged, `mandatory` the criteria that no gate
    could leave out at that time, `task` the kind of problem.
    """

    candidate_version: str
    champion_version: str | None
    verdicts: tuple[Verdict, ...]
    gate_digest: str = ""
    mandatory: tuple[str, ...] = ()
    task: str = "binary"

    @property
    def is_passed(self) -> bool:
        """Whether every criterion passed, none left out of the set that was mandatory then.

        That set is the report's own, so that a criterion which becomes mandatory later does not
        undo it; but never less than the task's first ones. A report that does not name its gate,
        or names a task that there is not, has passed none.
        """
        judged = [verdict.name for verdict in self.verdicts]
        floor = FLOORS.get(self.task)
        if floor is None:
            return False
        is_whole = set(judged) >= floor | set(self.mandatory) and len(set(judged)) == len(judged)
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
            record.get("task", "binary"),
        )
