"""The plan: everything that was decided about a use case, each decision with its reason.

Data only; templates read it, and a person reads the decisions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from finance_assets.scaffold.deliveries import Split, least_partitions
from finance_assets.scaffold.formats import Format, ending_of
from finance_assets.scaffold.outcome import Outcome
from finance_assets.scaffold.request import Request

# More partitions than this take longer than a coffee to play one by one; so many of them are.
MANY, PLAYED = 60, 12
# What was before a longer stretch without rows says little of what comes after it.
MAX_REACH = 6


class Role(StrEnum):
    """What becomes of a column."""

    key = "key"
    time = "time"
    label = "label"
    feature = "feature"
    protected = "protected attribute"
    kept = "silver only"
    bronze_only = "bronze only"


@dataclass(frozen=True)
class Feature:
    """A column of the features table: SQL over silver's columns.

    `column` is the silver column that it is made of; `is_passed` if it is taken over as it is, and
    `word` the one that it is about.
    """

    name: str
    sql: str
    description: str
    column: str = ""
    is_passed: bool = False
    word: str = ""


@dataclass(frozen=True)
class Rule:
    """A rule of silver; one that `warns` is about the table."""

    name: str
    condition: str
    reason: str
    warns: bool = False


@dataclass(frozen=True)
class PlannedColumn:
    """A delivered column: its typed form, what becomes of it, and why."""

    name: str
    at_source: str
    type: str
    description: str
    role: Role
    reason: str
    is_nullable: bool = False
    is_pii: bool = False
    null_tokens: tuple[str, ...] = ()
    delivered_type: str = ""
    features: tuple[Feature, ...] = ()
    rules: tuple[Rule, ...] = ()
    groups: str = ""
    is_leak: bool = False

    @property
    def is_in_silver(self) -> bool:
        """Whether the typed table has it."""
        return self.role is not Role.bronze_only


@dataclass(frozen=True)
class Decision:
    """What was decided, and why."""

    about: str
    choice: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """A use case, ready to be written.

    `entity` names its rows, `partition` the column with the partition of a row. `naive` is the
    feature that is the rule of thumb, `before` of a regression the label's past. `numbered` rows
    came without a key. `quarantine` is the share of rows of a partition that may be rejected;
    `holdout` counts the partitions that are kept to measure on, `alike` those with the same rows as
    another.
    """

    request: Request
    entity: str
    package: str
    columns: tuple[PlannedColumn, ...]
    outcome: Outcome
    label_sql: str
    split: Split
    partition: str
    features: tuple[Feature, ...]
    naive: str
    before: Feature | None
    rows: int
    written: dict[str, int]
    format: Format
    decisions: tuple[Decision, ...]
    quarantine: float = 0.01
    holdout: int = 1
    numbered: bool = False
    alike: int = 0

    @property
    def file_ending(self) -> str:
        """How the files of deliveries end."""
        return ending_of(self.format)

    @property
    def key(self) -> tuple[str, ...]:
        """The key of every table: the entity's, and the partition."""
        named = [c.name for c in self.columns if c.role is Role.key]
        return (*named, *([self.partition] if self.partition not in named else []))

    @property
    def least_training(self) -> int:
        """Partitions that a candidate has to learn from."""
        return self.split.training(self.outcome.task, self.request.label_lag)

    @property
    def least_partitions(self) -> int:
        """Partitions that a candidate needs to be judged, and one that it scores."""
        return least_partitions(self.least_training, self.request.label_lag) + self.holdout - 1

    @property
    def tested(self) -> int:
        """The first partitions that the written test runs.

        Its last one has rows, so that it matters whether these are others. The candidate before it
        is measured on rows, too.
        """
        calendar, filled, lag = self.split.calendar, set(self.split.names), self.request.label_lag
        for count in range(self.least_partitions, len(calendar) + 1):
            end = count - 1 - lag
            is_measured = not filled.isdisjoint(calendar[end - self.holdout : end])
            if calendar[count - 1] in filled and is_measured:
                return count
        return self.least_partitions

    @property
    def reach(self) -> int:
        """How many partitions further back the label's past is looked for: as long as one of the
        gaps, such as a weekend.
        """
        filled = "".join("x" if name in self.written else " " for name in self.split.calendar)
        return min(max(map(len, filled.split("x"))), MAX_REACH)

    @property
    def played_from(self) -> str:
        """The partition before which all are made in one run; empty if there are not many."""
        calendar = self.split.calendar
        return calendar[-PLAYED] if len(calendar) > MANY else ""

    @property
    def of(self) -> dict[Role, tuple[PlannedColumn, ...]]:
        """The columns of each role."""
        return {role: tuple(c for c in self.columns if c.role is role) for role in Role}

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of silver."""
        return tuple(rule for column in self.columns for rule in column.rules)

    def warnings(self) -> Iterator[str]:
        """What a person should look at first."""
        for decision in self.decisions:
            if decision.about.startswith("!"):
                yield f"{decision.choice}: {decision.reason}"
