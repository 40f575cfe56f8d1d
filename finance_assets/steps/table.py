"""Table steps: refine a delivery, derive a table. No model is touched here."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from finance_assets.calendar import Window
from finance_assets.declarations import refuse
from finance_assets.lakehouse.audit import CheckOutcome
from finance_assets.lakehouse.contract import Contract, quarantine_contract
from finance_assets.lakehouse.proposal import Accounting, Proposal, staged_files
from finance_assets.lakehouse.readable import require_readable, value_of
from finance_assets.lakehouse.refine import (
    DUPLICATE,
    PUBLISHED,
    QUARANTINED,
    alike_rows,
    refine,
)
from finance_assets.lakehouse.rejections import why_rejected
from finance_assets.step.declaration import Input, Kind, Step, StepContext, StepResult
from finance_assets.step.presence import checks_of, past_outcomes, require_accounted
from finance_assets.step.records import publish_staged
from finance_assets.step.select import Select
from finance_assets.steps.derived_rules import other_parameters
from finance_assets.steps.ranges import RANGE, differing, range_outcome
from finance_assets.steps.staging import read_staged, stage, stage_any, staged_schema

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Transform = Callable[..., "DataFrame"]


@dataclass(frozen=True)
class Conservation:
    """What a derived table must account for: each row of `source` exactly once.

    A partition p accounts for partition p + `offset` of the source. `counted_by` is SQL that
    counts the source rows that rows of the table stand for.
    """

    source: Contract
    offset: int = 0
    counted_by: str | None = None


def refine_step(use_case: str, source: Contract, target: Contract) -> Step:
    """Silver: typed, deduplicated, by the target's rules; the rest to quarantine with reasons.

    Raises:
        DeclarationError: a column of the target cannot be read from the source.
    """
    require_readable(source, target)
    quarantine = quarantine_contract(source, target)
    quarantined_columns = (
        *(f"`{name}`" for name in source.column_names),
        *("_reasons", "current_timestamp() as _quarantined_at"),
    )

    def run(ctx: StepContext) -> StepResult:
        delivered = ctx.rows_of(source, ctx.window)
        if not any(delivered.values()):
            return publish_staged(ctx, _empty_proposal(ctx, target, quarantine, delivered))
        with ctx.lakehouse.staging() as folder:
            by_fate = _judged(ctx, source, target, folder / "judged")
            quarantined, duplicates = _left_out(by_fate, source.partition_column)
            accounting = Accounting(delivered, quarantined, duplicates)
            # Staged under their names: Sail 0.7.2 takes twice as long for each NOT NULL column to
            # commit columns that are renamed on the way, and so for thirty of them for ever.
            typed = [f"`_typed_{name}` as `{name}`" for name in target.column_names]
            rows = stage(ctx, by_fate[PUBLISHED].selectExpr(*typed), folder / "rows")
            files = staged_files(ctx.window, folder / "rows")
            rejected = by_fate[QUARANTINED].selectExpr(*quarantined_columns)
            reasons = why_rejected(rejected, source, target) if quarantined else {}
            sibling = (quarantine, rejected)
            proposal = Proposal(
                target, ctx.window, rows, accounting, sibling, rejected=reasons, files=files
            )
            return publish_staged(ctx, proposal)

    def rejected_rows(ctx: StepContext) -> "DataFrame":
        delivered = ctx.read(source, ctx.window)
        judged = refine(delivered, source, target, alike_rows(delivered, source, target))
        return judged.where(f"_fate = '{QUARANTINED}'").selectExpr(*quarantined_columns)

    inputs, code = (Input(source),), (refine, value_of)
    return Step(use_case, Kind.table, target, inputs, run, code, rejected=rejected_rows)


def _empty_proposal(
    ctx: StepContext, target: Contract, quarantine: Contract, delivered: dict[str, int]
) -> Proposal:
    """The proposal for deliveries without rows: there is nothing to judge, or to measure."""
    none = ctx.lakehouse.no_rows
    return Proposal(
        target,
        ctx.window,
        none(target),
        Accounting(delivered),
        (quarantine, none(quarantine)),
        files={partition: [] for partition in ctx.window},
        facts={},
    )


def _judged(
    ctx: StepContext, source: Contract, target: Contract, path: Path
) -> "dict[str, DataFrame]":
    """The delivered rows of the window by their fate, judged once and staged."""
    delivered = ctx.read(source, ctx.window)
    # Few or none, as a rule: with them at hand the many need no more than a small join.
    alike = stage_any(ctx, alike_rows(delivered, source, target), path.with_name("alike"))
    judged = _lean(refine(delivered, source, target, alike), source, target)
    judged.write.partitionBy("_fate").parquet(str(path))
    schema = staged_schema(judged.drop("_fate"), path)
    return {
        fate: read_staged(ctx, schema, path / f"_fate={fate}")
        for fate in (PUBLISHED, QUARANTINED, DUPLICATE)
    }


def _left_out(
    by_fate: "dict[str, DataFrame]", partition: str
) -> tuple[dict[str, int], dict[str, int]]:
    """The quarantined rows and the duplicates of each partition, counted in one action.

    Neither becomes a row of the target, so the audit of that cannot count them.
    """
    quarantined, duplicates = (
        by_fate[fate].selectExpr(f"`{partition}`", f"'{fate}' as _fate")
        for fate in (QUARANTINED, DUPLICATE)
    )
    found: dict[str, dict[str, int]] = {QUARANTINED: {}, DUPLICATE: {}}
    counted = quarantined.unionAll(duplicates).groupBy(partition, "_fate").count()
    for row in counted.collect():
        found[row["_fate"]][str(row[partition])] = int(row["count"])
    return found[QUARANTINED], found[DUPLICATE]


def _lean(judged: "DataFrame", source: Contract, target: Contract) -> "DataFrame":
    """The judged rows with their delivered values only where these are needed: when rejected.

    Of good rows the typed values say all; staging both took a third more time.
    """
    kept = (source.partition_column, "_fate", "_reasons")
    return judged.selectExpr(
        *[f"`_typed_{name}`" for name in target.column_names],
        *[
            f"CASE WHEN _fate = '{QUARANTINED}' THEN `{name}` END as `{name}`"
            for name in source.column_names
            if name not in kept
        ],
        *kept,
    )


def table_step(
    use_case: str,
    contract: Contract,
    inputs: tuple[Input, ...],
    transform: Transform,
    conserves: Conservation,
) -> Step:
    """A table derived from others by a pure transform.

    The transform takes the inputs by their entities; it may return rows outside the window (it
    sees more of the past than it publishes), which are cut off here.

    Raises:
        DeclarationError: a function takes other parameters than the inputs.
    """
    if not isinstance(transform, Select):
        entities = [item.contract.entity for item in inputs]
        refuse(f"table {contract.table}", other_parameters(transform, entities))
    run = _Making(contract, inputs, transform, conserves).run
    checks = (RANGE, *checks_of(inputs))
    step = Step(use_case, Kind.table, contract, inputs, run, extra_checks=checks)
    if isinstance(transform, Select):
        return replace(step, declared=transform.text)
    return replace(step, code=(transform,))


@dataclass(frozen=True)
class _Making:
    """What a derived table is made with."""

    contract: Contract
    inputs: tuple[Input, ...]
    transform: Transform
    conserves: Conservation

    def run(self, ctx: StepContext) -> StepResult:
        """Make the window's rows, and publish them."""
        require_accounted(ctx, self.contract, self.conserves.source, self.conserves.offset)
        accounting = _accounting(ctx, self.conserves)
        with ctx.lakehouse.staging() as folder:
            staged = stage(ctx, self._made(ctx, ctx.window), folder / "rows")
            files = staged_files(ctx.window, folder / "rows")
            past = past_outcomes(ctx, checks_of(self.inputs))
            filled = [p for p in ctx.window if accounting.delivered.get(p)]
            found = (self._of_range(ctx, filled, staged, folder / "alone"), *past)
            return publish_staged(
                ctx,
                Proposal(
                    self.contract, ctx.window, staged, accounting, files=files, outcomes=found
                ),
            )

    def _made(self, ctx: StepContext, window: Window) -> "DataFrame":
        """The rows of a window, made from what it reads and no more."""
        frames = {
            item.contract.entity: ctx.read(item.contract, item.window(window))
            for item in self.inputs
        }
        made = self.transform(**frames)
        return made.where(window.predicate(self.contract.partition_column))

    def _of_range(
        self, ctx: StepContext, filled: list[str], staged: "DataFrame", path: Path
    ) -> CheckOutcome:
        """Whether the partitions at the ends of a range are as they are by themselves; `filled` are
        those that have rows.
        """
        found: dict[str, dict[str, int]] = {}
        ends = [*filled[:1], *filled[-1:]] if ctx.window.first != ctx.window.last else []
        for place in dict.fromkeys(ends):
            one = ctx.window.at(place)
            alone = stage(ctx, self._made(ctx, one), path / place)
            ranged = staged.where(one.predicate(self.contract.partition_column))
            found[place] = differing(alone, ranged, self.contract)
        return range_outcome(self.contract, found)


def _accounting(ctx: StepContext, conserves: Conservation) -> Accounting:
    """The source rows that each partition must account for."""
    source_window = ctx.window.widened(conserves.offset, conserves.offset)
    stored = ctx.rows_of(conserves.source, source_window)
    delivered = {
        partition: stored[source_of]
        for partition, source_of in zip(ctx.window, source_window, strict=True)
    }
    return Accounting(delivered, counted_by=conserves.counted_by)
