"""What became of a partition's rows, measured over a range: each log is read once."""

from collections import Counter
from dataclasses import replace

from finance_assets.calendar import Calendar
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.model_life.data_measuring import WatchedTables
from finance_assets_tests.scenario import (
    APRIL,
    BRONZE,
    CALENDAR,
    JUNE,
    MAY,
    SILVER,
    TABLE_STEPS,
    deliver,
    statements,
)

OF_STATEMENTS = tuple(step for step in TABLE_STEPS if step.key in (BRONZE, SILVER))


def test_a_range_reads_each_log_once_and_says_of_each_partition_what_is_so(
    runner, settings, monkeypatch
):
    for month, column in ((APRIL, "credit_limit_ntd"), (MAY, "payment_ntd")):
        good = statements(month, 40)
        bad = replace(good[0], account_id="99", **{column: "x"})
        deliver(settings.landing, month, *good, bad, *good[: 2 if month == APRIL else 1])
        runner.run(BRONZE, month)
    runner.run(SILVER, APRIL, MAY)
    read, late, history, overdue = Counter(), [], Lakehouse.history, Calendar.overdue
    monkeypatch.setattr(
        Lakehouse, "history", lambda home, table: read.update([table]) or history(home, table)
    )
    monkeypatch.setattr(Calendar, "overdue", lambda *given: late.append(given) or overdue(*given))
    watched = WatchedTables(runner.lakehouse, OF_STATEMENTS, CALENDAR)
    found = {month: watched.quality(month) for month in CALENDAR.window(APRIL, JUNE)}
    assert read == {BRONZE: 1, SILVER: 1, f"{SILVER}_quarantine": 1}
    assert len(late) == 1
    silver = {month: records[1] for month, records in found.items()}
    assert {month: (one.quarantined, one.duplicates) for month, one in silver.items()} == {
        APRIL: (1, 2),
        MAY: (1, 1),
        JUNE: (0, 0),
    }
    assert "credit_limit_ntd" in silver[APRIL].reasons and "payment_ntd" in silver[MAY].reasons
    assert [one.missing for one in silver.values()] == [False, False, True]
