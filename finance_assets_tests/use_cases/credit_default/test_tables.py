"""The tables of credit_default: trends, labels, portfolio, and nothing from the future."""

from dataclasses import replace

import pytest

from finance_assets.use_cases.credit_default.use_case import SAMPLES
from finance_assets_tests.scenario import (
    APRIL,
    JUNE,
    MAY,
    Statement,
    deliver,
    deliver_sample,
    statements,
)

GOLD, FEATURES = "gold.credit_account_months", "features.credit_default_features"


def short_histories(runner):
    landing = runner.settings.landing
    deliver(
        landing,
        APRIL,
        Statement("1", APRIL, bill_ntd="1000", payment_ntd="0", pay_status="0"),
        Statement("2", APRIL, bill_ntd="500", pay_status="3"),
    )
    deliver(
        landing,
        MAY,
        Statement("1", MAY, bill_ntd="3000", payment_ntd="250", pay_status="2"),
    )
    deliver(
        landing,
        JUNE,
        Statement("1", JUNE, bill_ntd="2000", payment_ntd="1500", pay_status="-1"),
        Statement("2", JUNE, bill_ntd="700", pay_status="0"),
    )
    runner.run_tables(APRIL, JUNE)


@pytest.fixture
def three_months(runner, homes):
    """One account with three statements, and one that skips May."""
    homes.copy(runner, "short_histories", short_histories)
    return runner


def by_key(rows):
    return {(row["account_id"], row["statement_month"]): row for row in rows}


def test_trends_look_back_and_are_null_without_history(three_months):
    gold = by_key(three_months.rows(GOLD))
    first, second, third = (gold[1, month] for month in (APRIL, MAY, JUNE))
    trends = ("previous_pay_status", "pay_status_change", "worst_pay_status_3m", "payment_ratio")
    assert [first[name] for name in trends] == [None] * 4
    assert [second[name] for name in trends] == [0, 2, 2, 0.25]
    assert [third[name] for name in trends] == [2, -3, 2, 0.5]
    assert third["utilisation_ratio_3m"] == 6000 / 60000
    assert third["bill_change_ratio"] == -1000 / 20000
    assert [row["history_months"] for row in (first, second, third)] == [1, 2, 3]
    assert third["late_statements_3m"] == 1


def test_a_month_without_a_statement_stays_a_gap(three_months):
    gold = by_key(three_months.rows(GOLD))[2, JUNE]
    assert gold["previous_pay_status"] is None
    assert gold["bill_change_ratio"] is None
    assert gold["worst_pay_status_3m"] == 3
    assert gold["history_months"] == 2


def test_an_outcome_is_known_one_month_later_or_stays_unknown(three_months):
    labels = by_key(three_months.rows("labels.credit_default_labels"))
    assert labels[1, APRIL]["is_default"] is True
    assert labels[1, APRIL]["matured_month"] == MAY
    assert labels[1, MAY]["is_default"] is False
    assert labels[2, APRIL]["is_default"] is None
    assert (1, JUNE) not in labels


def test_every_account_is_in_exactly_one_segment_of_its_month(three_months):
    portfolio = three_months.rows("gold.credit_portfolio")
    accounts = {}
    for row in portfolio:
        month = row["statement_month"]
        accounts[month] = accounts.get(month, 0) + row["accounts"]
    assert accounts == {APRIL: 2, MAY: 1, JUNE: 2}
    ledgers = three_months.lakehouse.history("gold.credit_portfolio").ledgers()
    assert all(ledger.is_balanced for ledger in ledgers.values())


def test_features_do_not_change_by_a_byte_when_the_future_changes(runner, settings):
    """Point-in-time: publish, change every value of the later months, publish again, compare."""
    deliver_sample(settings.landing, 300, [APRIL, MAY, JUNE])
    runner.run_tables(APRIL, JUNE)
    tables = (GOLD, FEATURES, "labels.credit_default_labels")
    before = {key: arrow_bytes(runner, key, MAY) for key in tables}
    june_before = arrow_bytes(runner, FEATURES, JUNE)
    future = [
        replace(row, bill_ntd="77777", payment_ntd="7", pay_status="5", credit_limit_ntd="10000")
        for row in statements(JUNE, 300)
    ]
    deliver(settings.landing, JUNE, *future)
    runner.run_tables(APRIL, JUNE)
    assert {key: arrow_bytes(runner, key, MAY) for key in tables} == before
    assert arrow_bytes(runner, FEATURES, JUNE) != june_before, "the change did not arrive"


def arrow_bytes(runner, key: str, through: str) -> bytes:
    """The stored rows up to a partition, as bytes."""
    import pyarrow as pa

    history = runner.lakehouse.history(key)
    column = history.stored.delta.metadata().partition_columns[0]
    rows = [row for row in history.rows() if row[column] <= through]
    ordered = pa.Table.from_pylist(
        sorted(rows, key=lambda row: (row["account_id"], row["statement_month"]))
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, ordered.schema) as writer:
        writer.write_table(ordered)
    return sink.getvalue().to_pybytes()


def test_one_range_and_month_by_month_give_the_same_rows(runner, settings, tmp_path, spark):
    from finance_assets_tests.scenario import Runner

    deliver_sample(settings.landing, 200, [APRIL, MAY, JUNE])
    runner.run_tables(APRIL, JUNE)
    monthly = Runner(settings.model_copy(update={"home": tmp_path / "monthly"}), spark)
    for month in (APRIL, MAY, JUNE):
        monthly.run_tables(month)
    for key in (GOLD, FEATURES, "labels.credit_default_labels", "gold.credit_portfolio"):
        assert monthly.rows(key, "1, 2, 3") == runner.rows(key, "1, 2, 3"), key


def test_running_everything_twice_changes_no_version(runner, settings):
    deliver_sample(settings.landing, 100, [APRIL, MAY])
    runner.run_tables(APRIL, MAY)
    keys = ("bronze.credit_statement_deliveries", "silver.credit_statements", GOLD, FEATURES)
    before = {key: runner.lakehouse.history(key).version for key in keys}
    runner.run_tables(APRIL, MAY)
    runner.run_tables(MAY)
    assert {key: runner.lakehouse.history(key).version for key in keys} == before


def test_the_shipped_deliveries_are_the_documented_data():
    import csv
    import gzip
    from collections import Counter

    from finance_assets.use_cases.credit_default.tables.statements import STATEMENTS
    from finance_assets.use_cases.credit_default.use_case import CALENDAR

    ones, late, accounts = [], [], []
    for month in CALENDAR.partitions():
        with gzip.open(STATEMENTS.full_source.path(SAMPLES, month), "rt") as stream:
            status = Counter(row["pay_status"] for row in csv.DictReader(stream))
        ones.append(status["1"])
        accounts.append(sum(status.values()))
        late.append(round(sum(n for s, n in status.items() if int(s) >= 2) / 30000, 3))
    assert accounts == [30000] * 6
    assert ones == [0, 0, 2, 4, 28, 3688]
    assert late[1:] == [0.099, 0.117, 0.14, 0.147, 0.104]


def test_the_shipped_flag_follows_another_definition_and_is_not_among_what_is_landed():
    import csv
    import gzip

    from finance_assets.use_cases.credit_default.tables.official_defaults import OFFICIAL_DEFAULTS
    from finance_assets.use_cases.credit_default.use_case import LATE

    [file] = LATE.iterdir()
    assert file == OFFICIAL_DEFAULTS.full_source.path(LATE, "2005-10")
    assert not (SAMPLES / file.name).exists()
    with gzip.open(file, "rt") as stream:
        flags = [int(row["is_official_default"]) for row in csv.DictReader(stream)]
    assert (len(flags), sum(flags)) == (30000, 6636)
