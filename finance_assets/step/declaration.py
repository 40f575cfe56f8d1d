"""The Step: what every unit of work declares, and what it is given and gives back.

Only the types belong here; the kinds of steps are in the sibling modules.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from finance_assets.calendar import Window
from finance_assets.codec import Json
from finance_assets.lakehouse.audit import CheckOutcome
from finance_assets.lakehouse.contract import Check, Contract
from finance_assets.lakehouse.history import Ledger, Publication
from finance_assets.lakehouse.proposal import Proposal
from finance_assets.lakehouse.publish import Origin, PublishResult, publish
from finance_assets.lakehouse.recorded import stored_rows
from finance_assets.lakehouse.sources.source import Source
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.lakehouse.stored import Row
from finance_assets.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from finance_assets.ml.registry import ModelRegistry


# What a run states of a partition, for sensors to read.
Facts: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True)
class Traits:
    """What is so of every step of a kind.

    `timeout_seconds`: after which Databricks stops its task; a stuck one must not be paid for
    until Monday. `retries`: how often a failed task of a job is tried again. It helps where the
    trouble was the cluster's; a refused delivery stays refused, and retrying cannot change a
    gate decision. `tools`: what the catalogue shows that it is made with; `uses_family`: with
    the library that fits the model, too. `needs_own_inputs`: what its inputs have of its own
    partition must have been made; nothing made would read as no rows.
    """

    timeout_seconds: int
    retries: int
    tools: frozenset[str]
    uses_family: bool = False
    is_table: bool = False
    is_model: bool = False
    needs_own_inputs: bool = False


class Kind(StrEnum):
    """What a step does, with what is so of every step that does it."""

    traits: Traits

    def __new__(cls, value: str, traits: Traits) -> "Kind":
        """A kind by its name."""
        made = str.__new__(cls, value)
        made._value_, made.traits = value, traits
        return made

    ingest = "ingest", Traits(3600, 2, frozenset({"deltalake"}), is_table=True)
    table = (
        "table",
        Traits(7200, 2, frozenset({"spark", "deltalake"}), is_table=True, needs_own_inputs=True),
    )
    training = "training", Traits(14400, 1, frozenset({"mlflow"}), uses_family=True, is_model=True)
    evaluation = "evaluation", Traits(7200, 0, frozenset({"mlflow", "deltalake"}), is_model=True)
    decision = "decision", Traits(1800, 0, frozenset({"mlflow", "deltalake"}), is_model=True)
    scoring = (
        "scoring",
        Traits(7200, 2, frozenset({"spark", "deltalake"}), uses_family=True, needs_own_inputs=True),
    )
    monitoring = "monitoring", Traits(3600, 2, frozenset({"spark", "deltalake"}))

    @property
    def is_table(self) -> bool:
        """Whether it makes a table of the data, of deliveries or of other tables."""
        return self.traits.is_table

    @property
    def is_model(self) -> bool:
        """Whether it runs when a candidate is wanted, and not for every partition."""
        return self.traits.is_model

    @property
    def takes_a_range_at_once(self) -> bool:
        """Whether one run takes a whole range; models go one by one, as they did in time."""
        return not self.traits.is_model


@dataclass(frozen=True)
class Input:
    """An upstream table, and which of its partitions a partition of the step reads.

    Partition p reads p + `first_offset` … p + `last_offset`, as far as they exist; without
    `first_offset` everything from the calendar's first partition on. `made_until`: the last
    partition for which the table is made whatever comes, None for no end; the use case says it
    (coming.py).
    """

    contract: Contract
    first_offset: int | None = 0
    last_offset: int = 0
    made_until: str | None = None

    @property
    def key(self) -> str:
        """Key of the upstream step."""
        return self.contract.table

    @property
    def reads_own_partition(self) -> bool:
        """Whether a partition of the step reads the same partition upstream."""
        return (self.first_offset or 0) <= 0 <= self.last_offset

    @property
    def reads_the_past(self) -> bool:
        """Whether a partition of the step reads earlier ones upstream."""
        return self.first_offset is None or self.first_offset < 0

    def window(self, window: Window) -> Window:
        """The upstream window that a window of the step reads."""
        return window.widened(self.first_offset, self.last_offset)


@dataclass(frozen=True)
class Absent:
    """The partitions that a run reads of an input, oldest first, that should be there and were
    neither published nor found empty.
    """

    item: Input
    partitions: Sequence[str]

    def read_by(self, window: Window) -> range:
        """The places in `partitions` of those that a part of the run's window reads."""
        read, among = self.item.window(window), self.partitions
        return range(bisect_left(among, read.first), bisect_right(among, read.last))


@dataclass(frozen=True)
class StepContext:
    """Everything a step may touch while it runs over a window.

    `inputs`: the lakehouse at the versions that `origin` names; what a step is made from is read
    there. `absent`: what it reads and is not there, of each input that lacks something.
    """

    window: Window
    lakehouse: Lakehouse
    inputs: Lakehouse
    registry: "ModelRegistry"
    settings: Settings
    origin: Origin
    report: Callable[[str], None]
    absent: tuple[Absent, ...] = ()

    def read(self, contract: Contract, window: Window) -> "DataFrame":
        """Rows of an input, at the version that the step's publication will name.

        What is delivered or published while the step runs is for the next run to see.
        """
        return self.inputs.read(contract, window, self.origin.inputs.get(contract.table))

    def rows_of(self, contract: Contract, window: Window) -> dict[str, int]:
        """The number of rows of every partition of an input, at that same version."""
        return stored_rows(self.inputs, contract, window, self.origin.inputs.get(contract.table))

    def snapshot(self, tables: Iterable[str] = ()) -> "StepContext":
        """The same at fixed versions, for reading; see `Lakehouse.snapshot`."""
        lakehouse = self.lakehouse.snapshot(tables)
        return replace(self, lakehouse=lakehouse, inputs=lakehouse)

    def publish(self, proposal: Proposal) -> PublishResult:
        """Publish a proposal with this run as its origin."""
        return publish(self.lakehouse, proposal, self.origin)


@dataclass(frozen=True)
class StepResult:
    """What a step did: the publication (None when refused), checks, and things to look at.

    `ledgers` say what became of the rows of each partition of the window, `fingerprints` tell its
    content. `by_partition` holds machine-readable facts per partition (sensors read them), `stated`
    such facts about other tables, `plots` PNG bytes by title, `documents` Markdown by title,
    `preview` a few rows.
    """

    outcomes: list[CheckOutcome]
    publication: Publication | None
    changed: tuple[str, ...] = ()
    fingerprints: dict[str, str] = field(default_factory=dict)
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    metadata: dict[str, Json] = field(default_factory=dict)
    by_partition: dict[str, Facts] = field(default_factory=dict)
    stated: dict[str, dict[str, Facts]] = field(default_factory=dict)
    plots: dict[str, bytes] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    preview: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Step:
    """One unit of work: one Dagster asset, one Databricks task, one table.

    `code` lists the functions whose source, and `declared` the bounds whose value, decide the
    code version beside the contract. `source` is what an ingestion reads. `rejected` gives the
    rows that a refinement rejects of a window, as its input holds them now.
    """

    use_case: str
    kind: Kind
    contract: Contract
    inputs: tuple[Input, ...]
    run: Callable[[StepContext], StepResult]
    code: tuple[Callable[..., Any], ...] = ()
    extra_checks: tuple[Check, ...] = ()
    declared: object = None
    source: Source | None = None
    rejected: "Callable[[StepContext], DataFrame] | None" = None

    @property
    def key(self) -> str:
        """`<layer>.<entity>`: asset key, table name, local path."""
        return self.contract.table

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every check this step reports, whether or not it passes."""
        return (*self.contract.checks, *self.extra_checks)
