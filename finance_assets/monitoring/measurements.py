"""Measurements: everything that is known of a partition when it is judged. What it means is
triage.py's business.
"""

from dataclasses import dataclass

from finance_assets.monitoring.drift import DriftReport
from finance_assets.monitoring.significance import Figure


@dataclass(frozen=True)
class Rival:
    """Another champion, and what it would have lost on the same rows."""

    version: str
    sha256: str
    lost: Figure


@dataclass(frozen=True)
class Matured:
    """How a scored partition fared once its outcomes were known.

    `level`: by how much the outcomes lie above what was said, in the task's units; `before`: the
    same of the same champion in the partition before. `lost`: the share of what was to be expected
    that the model did not bring. `rivals`: other champions on the same rows. `scored_by`: the
    digest of the champion that scored it, which another one may have replaced since.
    """

    partition: str
    level: Figure | None = None
    before: Figure | None = None
    lost: Figure | None = None
    rivals: tuple[Rival, ...] = ()
    scored_by: str = ""


@dataclass(frozen=True)
class Rejected:
    """What was rejected of a table's delivery."""

    table: str
    delivered: int
    quarantined: int
    reasons: str = ""

    @property
    def share(self) -> float:
        """Rejected rows of those delivered."""
        return self.quarantined / max(self.delivered, 1)


@dataclass(frozen=True)
class Measurements:
    """Everything that is known of a partition when it is judged."""

    partition: str
    report: DriftReport
    champion_version: str = ""
    champion_sha256: str = ""
    rejected: tuple[Rejected, ...] = ()
    restated: tuple[str, ...] = ()
    matured: Matured | None = None
