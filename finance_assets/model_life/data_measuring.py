"""Measuring the data itself: volumes and rejections of a partition.

Reads commit logs, and counts reasons in the quarantine.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

from finance_assets.calendar import Calendar
from finance_assets.lakehouse.history import TableHistory
from finance_assets.lakehouse.rejections import SEPARATOR
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.model_life.performance_log import QualityRecord
from finance_assets.monitoring.measurements import Rejected
from finance_assets.step.declaration import Step

SHOWN = 3


@dataclass(frozen=True)
class WatchedTables:
    """The tables whose data are measured, as they stood when each was first asked.

    A run over many partitions has one of these, and so reads each log once.
    """

    lakehouse: Lakehouse
    tables: tuple[Step, ...]
    calendar: Calendar

    def quality(self, partition: str) -> list[QualityRecord]:
        """What became of the partition's rows in every table."""
        is_expected = any(s.source and s.source.is_expected(partition) for s in self.tables)
        return [self._measured(step, partition, is_expected) for step in self.tables]

    def _measured(self, step: Step, partition: str, is_expected: bool) -> QualityRecord:
        history = self._history(step.key)
        publication, ledger = history.in_force(partition), history.ledger_of(partition)
        failed = publication.failed_checks.get(partition, []) if publication else []
        column = step.contract.partition_column
        return QualityRecord(
            partition=partition,
            measured_table=step.key,
            delivered=ledger.delivered,
            published=ledger.published,
            quarantined=ledger.quarantined,
            duplicates=ledger.duplicates,
            reasons=self._reasons(step.key, column, partition) if ledger.quarantined else "",
            failed_checks=", ".join(failed),
            missing=publication is None and is_expected and partition in self._past_due,
        )

    @cached_property
    def _past_due(self) -> frozenset[str]:
        """The partitions that should have been published by now."""
        return frozenset(self.calendar.overdue(set()))

    def _reasons(self, table: str, column: str, partition: str) -> str:
        """The most frequent reasons, counted where the rows lie."""
        where = f"{column} = '{partition}' GROUP BY _reasons"
        rows = self._history(f"{table}_quarantine").rows("_reasons, count(*) AS n", where)
        counted: Counter[str] = Counter()
        for row in rows:
            for reason in str(row["_reasons"]).split(SEPARATOR):
                counted[reason] += int(str(row["n"]))
        return "; ".join(f"{reason} ({n})" for reason, n in counted.most_common(SHOWN))

    @cached_property
    def _history(self) -> Callable[[str], TableHistory]:
        return cache(self.lakehouse.history)


def rejections(records: list[QualityRecord]) -> tuple[Rejected, ...]:
    """The tables that rejected rows."""
    return tuple(
        Rejected(r.measured_table, r.delivered, r.quarantined, r.reasons)
        for r in records
        if r.quarantined
    )
