"""Champion events: what the champion history consists of, each sealed by its digest.

What follows from several of them is the history's business (champion_history.py).
"""

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum

from finance_assets.codec import from_json
from finance_assets.lakehouse.record import described
from finance_assets.ml.gate_report import BASELINE_TASK, GateReport
from finance_assets.ml.identity import Identity


class Event(StrEnum):
    """The events that can change the champion, and `accepted`, which does not."""

    promoted = "promoted"
    approved = "approved"
    rolled_back = "rolled_back"
    installed = "installed"
    accepted = "accepted"


# The events that a person brings about; the others are a step's.
BY_PEOPLE = (Event.approved, Event.rolled_back, Event.accepted)


@dataclass(frozen=True)
class Accepted:
    """What a person accepted: the findings, and the newest event as each place stated it."""

    problems: tuple[str, ...]
    stated: dict[str, str]


@dataclass(frozen=True)
class ChampionEvent:
    """A change of champion; the fields are the table's columns.

    One that accepts the history names the champion that stays, or empty texts where there is none.
    """

    sequence: int = described("Place in the chain, from 1 on")
    event: str = described(
        "promoted, approved or rolled_back; installed: the rule of thumb; accepted: the history, "
        "by a person, who changed no champion"
    )
    effective_from: str = described("First partition that the champion holds for")
    model_version: str = described("Version that became champion")
    as_of: str = described("Partition as of which it was trained")
    mlflow_run_id: str = described("MLflow run that trained it")
    model_sha256: str = described("Digest of the model's text")
    features_sha256: str = described("Digest of the ordered feature names")
    recipe_sha256: str = described("Digest of the training recipe")
    reference_sha256: str = described("Digest of the training reference for drift")
    replaces: str | None = described("Version of the champion it replaced")
    dataset_version: str = described("Input tables of the training, with Delta versions")
    trained_by: str = described("Who ran the training")
    decided_by: str = described("'gate', the person, or 'declaration'")
    reason: str = described("Why, in their words")
    gate_report: str = described(
        "The passed report it rests on, JSON; of an acceptance, what was wrong"
    )
    git_sha: str = described("Commit of the code that decided")
    run_id: str = described("Run that decided")
    recorded_at: str = described("When it was recorded (UTC, ISO 8601)")
    previous_digest: str = described("Digest of the event before; empty for the first")
    digest: str = described("Digest of all the columns above", default="")

    @property
    def report(self) -> GateReport:
        """The gate report the event rests on."""
        return GateReport.from_json(self.gate_report)

    @property
    def is_baseline(self) -> bool:
        """Whether it crowns the rule of thumb, which the gate never judged."""
        return self.report.task == BASELINE_TASK

    @property
    def statement(self) -> str:
        """`<sequence>:<digest>`, as it is stated elsewhere."""
        return f"{self.sequence}:{self.digest}"

    @property
    def identity(self) -> Identity:
        """What was crowned, by its digests."""
        return Identity(**{f.name: getattr(self, f.name) for f in fields(Identity)})

    @property
    def accepted(self) -> Accepted:
        """What an acceptance accepts.

        Raises:
            ValueError: that cannot be read.
        """
        return from_json(Accepted, self.gate_report)

    @property
    def content_digest(self) -> str:
        """sha256 of everything but the digest itself."""
        record = {k: v for k, v in asdict(self).items() if k != "digest"}
        return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()

    def sealed(self) -> "ChampionEvent":
        """The event with its digest."""
        return replace(self, digest=self.content_digest)
