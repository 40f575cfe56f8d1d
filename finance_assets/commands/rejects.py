"""Rejects: the rows that a refinement rejected of a partition, accepted or refused.

Of an accepted partition they are in the quarantine. A refused one left nothing behind, so its
rows are refined again from what was delivered: they are what the next run would reject.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from finance_assets.commands.command import Command
from finance_assets.errors import HistoryError, SettingsError
from finance_assets.lakehouse.contract import quarantine_contract
from finance_assets.lakehouse.rejections import SEPARATOR, Rejection, why_rejected
from finance_assets.lakehouse.sources.bronze import LINE, MALFORMED, SOURCE_FILE
from finance_assets.step.arguments import require_partition
from finance_assets.step.declaration import Step, StepContext
from finance_assets.step.lineage import read_inputs
from finance_assets.step.use_case import UseCase

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MAX_ROWS = 1000


@dataclass(frozen=True)
class RejectedRow:
    """A rejected row: where it stands, every reason, and its values as they were delivered; of a
    row that could not be read, the whole line instead.
    """

    file: str
    line: int
    reasons: tuple[str, ...]
    values: dict[str, str | None]
    malformed: str | None


@dataclass(frozen=True)
class Rejected:
    """What a table rejected of a partition. `is_accepted`: the partition stands as published,
    and the rows are its quarantine; else they were refused, or not refined yet.
    """

    table: str
    partition: str
    is_accepted: bool
    rows: int
    reasons: tuple[Rejection, ...]
    examples: tuple[RejectedRow, ...]


@dataclass(frozen=True)
class Rejects(Command[tuple[Rejected, ...]]):
    """The rejected rows of a partition, in the order of their file."""

    name: ClassVar[str] = "rejects"
    needs_models: ClassVar[bool] = False

    partition: str
    table: str | None = None
    limit: int = 20

    def run(self, ctx: StepContext, use_case: UseCase) -> tuple[Rejected, ...]:
        """For each table that refines a delivery, or the one that is named.

        Raises:
            SettingsError: the partition or the table is not the use case's.
            HistoryError: nothing was delivered for the partition.
        """
        require_partition(use_case.calendar, self.partition, "--partition")
        refining = {step.key: step for step in use_case.steps if step.rejected is not None}
        if self.table is not None and self.table not in refining:
            raise SettingsError(
                f"{self.table} is no table of {use_case.name} that rejects rows",
                where="--table",
                remedy=f"one of: {', '.join(refining)}",
            )
        wanted = [step for key, step in refining.items() if self.table in (None, key)]
        if self.table is None:
            wanted = [step for step in wanted if self._is_asked(ctx, use_case, step)]
        here = replace(ctx, window=use_case.calendar.window(self.partition))
        return tuple(self._of(here, step) for step in wanted)

    def _is_asked(self, ctx: StepContext, use_case: UseCase, step: Step) -> bool:
        """Whether there is something to say of a table: not of one whose source may stay away."""
        delivered = step.inputs[0].key
        source = use_case.step(delivered).source
        may_be_absent = source is not None and not source.is_expected(self.partition)
        return not may_be_absent or self.partition in ctx.lakehouse.history(delivered).ledgers()

    def _of(self, ctx: StepContext, step: Step) -> Rejected:
        source = step.inputs[0].contract
        if self.partition not in ctx.lakehouse.history(source.table).ledgers():
            raise HistoryError(
                f"nothing was ingested for {self.partition}",
                where=source.table,
                remedy="see `finance-assets status`; what a delivery was refused for as a whole "
                "is in the error of its run",
            )
        is_accepted = _is_accepted(ctx, step, self.partition)
        found = Rejected(step.key, self.partition, is_accepted, 0, (), ())
        with ctx.lakehouse.staging() as folder:
            # Staged, as refining is dear and three questions are asked.
            path = folder / "rows"
            rows = _rows(ctx, step, is_accepted)
            rows.write.parquet(str(path))
            if not any(path.glob("*.parquet")):
                return found
            rows = ctx.lakehouse.spark.read.schema(rows.schema).parquet(str(path))
            reasons = why_rejected(rows, source, step.contract).get(self.partition, [])
            first = rows.orderBy(SOURCE_FILE, LINE).limit(min(self.limit, MAX_ROWS)).collect()
            named = [name for name in source.column_names if not name.startswith("_")]
            return replace(
                found,
                rows=rows.count(),
                reasons=tuple(reasons),
                examples=tuple(_row(row.asDict(), named) for row in first),
            )


def _is_accepted(ctx: StepContext, step: Step, partition: str) -> bool:
    """Whether the table holds what was refined of the newest delivery."""
    known = ctx.lakehouse.history(step.key).in_force(partition)
    now = read_inputs(ctx.lakehouse, step.inputs, ctx.window).made_from[partition]
    return known is not None and known.made_from.get(partition) == now


def _rows(ctx: StepContext, step: Step, is_accepted: bool) -> "DataFrame":
    if is_accepted:
        quarantine = quarantine_contract(step.inputs[0].contract, step.contract)
        return ctx.lakehouse.read(quarantine, ctx.window)
    assert step.rejected is not None
    return step.rejected(ctx)


def _row(row: dict[str, object], names: list[str]) -> RejectedRow:
    malformed = row[MALFORMED]
    return RejectedRow(
        str(row[SOURCE_FILE]),
        int(str(row[LINE])),
        tuple(str(row["_reasons"]).split(SEPARATOR)),
        {name: None if row[name] is None else str(row[name]) for name in names},
        None if malformed is None else str(malformed),
    )
