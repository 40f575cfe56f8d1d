"""Measuring the data itself: volumes and rejections of a partition.

Reads commit logs, and counts reasons in the quarantine.
"""

from collections import Counter

from finance_assets.calendar import Calendar
from finance_assets.lakehouse.rejections import SEPARATOR
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.model_life.performance_log import QualityRecord
from finance_assets.monitoring.measurements import Rejected
from finance_assets.step.declaration import Step, StepContext

SHOWN = 3


def measure_quality(
    ctx: StepContext, tables: tuple[Step, ...], calendar: Calendar, partition: str
) -> list[QualityRecord]:
    """What became of the partition's rows in every table."""
    found = []
    is_expected = any(s.source is not None and s.source.is_expected(partition) for s in tables)
    for step in tables:
        history = ctx.lakehouse.history(step.key)
        publication, ledger = history.in_force(partition), history.ledger_of(partition)
        due = is_expected and partition in calendar.overdue(set(history.recorded()))
        failed = publication.failed_checks.get(partition, []) if publication else []
        column = step.contract.partition_column
        reasons = _reasons(ctx.lakehouse, step.key, column, partition) if ledger.quarantined else ""
        found.append(
            QualityRecord(
                partition=partition,
                measured_table=step.key,
                delivered=ledger.delivered,
                published=ledger.published,
                quarantined=ledger.quarantined,
                duplicates=ledger.duplicates,
                reasons=reasons,
                failed_checks=", ".join(failed),
                missing=publication is None and due,
            )
        )
    return found


def rejections(records: list[QualityRecord]) -> tuple[Rejected, ...]:
    """The tables that rejected rows."""
    return tuple(
        Rejected(r.measured_table, r.delivered, r.quarantined, r.reasons)
        for r in records
        if r.quarantined
    )


def _reasons(lakehouse: Lakehouse, table: str, column: str, partition: str) -> str:
    """The most frequent reasons, counted where the rows lie."""
    where = f"{column} = '{partition}' GROUP BY _reasons"
    rows = lakehouse.history(f"{table}_quarantine").rows("_reasons, count(*) AS n", where)
    counted: Counter[str] = Counter()
    for row in rows:
        for reason in str(row["_reasons"]).split(SEPARATOR):
            counted[reason] += int(str(row["n"]))
    return "; ".join(f"{reason} ({n})" for reason, n in counted.most_common(SHOWN))
