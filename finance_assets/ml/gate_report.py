"""Gate reports: what a gate found of one candidate, kept with the decision and the event.

Whether a report is a passed one follows from its verdicts alone, whoever stored it.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

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
