"""Measuring the data itself: volumes and rejections of a partition, and what changed since.

Reads commit logs, and counts reasons in the quarantine.
"""

from collections import Counter

from finance_assets.calendar import Calendar, moment
from finance_assets.lakehouse.history import TableHistory
from finance_assets.lakehouse.rejections import SEPARATOR
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.ml.frames import split_as_of, versions_of
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.champion_history import ChampionEvent
from finance_assets.model_life.decision_log import Decision, Outcome, read_decisions
from finance_assets.model_life.performance_log import QualityRecord
from finance_assets.monitoring.measurements import Rejected
from finance_assets.step.declaration import Step, StepContext

SHOWN = 3
DATA_CHECKS = "data_checks"


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


def restated_since(ctx: StepContext, spec: ModelSpec, champion: ChampionEvent) -> tuple[str, ...]:
    """What the champion learned from, or was measured on, that is not what it was then.

    Then: when it was trained, or when the gate last kept it against a candidate that knew more.
    """
    calendar = ctx.window.calendar
    if calendar is None or not champion.dataset_version:
        return ()
    split = split_as_of(calendar, spec, champion.as_of)
    kept = _kept(ctx.lakehouse, spec, champion)
    then = versions_of(kept.dataset_version if kept else champion.dataset_version)
    when = moment(kept.recorded_at if kept else champion.recorded_at)
    since = f"was kept as of {kept.as_of}" if kept else "was trained"
    said = []
    for contract, window in ((spec.features, split.rows), (spec.labels, split.matured)):
        history, trained_on = ctx.lakehouse.history(contract.table), then.get(contract.table, -1)
        # Another table under the same name counts its versions anew, so they say nothing.
        if not history.exists or history.created_at > when:
            what = "was made anew"
        elif changed := [p for p in window if _is_newer(history, p, trained_on)]:
            what = f"{', '.join(changed)} changed"
        else:
            continue
        said.append(f"{contract.table}: {what} since v{champion.model_version} {since}")
    return tuple(said)


def _kept(lakehouse: Lakehouse, spec: ModelSpec, champion: ChampionEvent) -> Decision | None:
    """The newest decision that kept the champion, on all the data that it rests on.

    A candidate whose data were not in order says nothing about the champion's.
    """
    found = [
        decision
        for decision in read_decisions(lakehouse, spec)
        if decision.outcome == Outcome.turned_down
        and decision.champion_version == champion.model_version
        and decision.dataset_version
        and decision.as_of >= champion.as_of
        and decision.recorded_at > champion.recorded_at
        and DATA_CHECKS not in decision.failed_criteria.split(",")
    ]
    return found[-1] if found else None


def _is_newer(history: TableHistory, partition: str, version: int) -> bool:
    """Whether a partition's rows were published or altered after a version."""
    publication = history.publication_of(partition)
    is_published = publication is not None and publication.version > version
    return is_published or history.altered_at(partition) is not None
