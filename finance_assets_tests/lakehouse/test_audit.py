"""Audit: the facts of staged rows, counted exactly."""

from dataclasses import replace

import pytest

from finance_assets.calendar import Window
from finance_assets.lakehouse import audit
from finance_assets.lakehouse.contract import Column, Contract, RowRule, Severity, TableRule
from finance_assets.lakehouse.history import Ledger
from finance_assets.lakehouse.sources.bronze import bronze_contract
from finance_assets.lakehouse.sources.parquet import ParquetFile
from finance_assets.lakehouse.sources.source import Source, SourceColumn
from finance_assets.model_life.contracts import drift_contract, prediction_contract
from finance_assets.model_life.evaluations import evaluation_contract
from finance_assets_tests.scenario import MODEL

PARCELS = Contract(
    table="silver.parcels",
    description="Parcels, in a test's table.",
    columns=(
        Column("hub", "string", "Hub"),
        Column("number", "bigint", "Number"),
        Column("month", "string", "Month"),
        Column("weight", "double", "Weight", is_nullable=True, unit="kg"),
    ),
    key=("hub", "number"),
    partition_column="month",
    table_rules=(TableRule("spread", "max(weight) - min(weight) < 5", "Parcels are alike."),),
)
APRIL, MAY = "2005-04", "2005-05"


def measured(spark, *rows, counted_by="count(*)"):
    frame = spark.createDataFrame(rows, "hub string, number bigint, month string, weight double")
    return audit.measure(frame, PARCELS, counted_by)


@pytest.mark.parametrize(
    ("keys", "distinct"),
    [
        ([("a", 1), ("a", 2), ("b", 1)], 3),
        ([("a", 1), ("a", 1), ("b", 1)], 2),
        ([("a", 11), ("a1", 1)], 2),
        ([("a", None), (None, 1), (None, None), ("a", 1)], 1),
        ([(None, 1), (None, 1)], 0),
    ],
)
def test_keys_are_counted_as_sql_counts_them(spark, keys, distinct):
    """A key with a null in it is no key, so its row always counts as one without."""
    rows = [(*key, APRIL, 1.0) for key in keys]
    facts = measured(spark, *rows)[APRIL]
    frame = spark.createDataFrame(keys, "hub string, number bigint")
    [[by_sql]] = frame.selectExpr("count(distinct hub, number)").collect()
    assert (facts.rows, facts.distinct_keys) == (len(keys), distinct) == (len(keys), by_sql)


def test_a_key_may_come_back_in_another_partition(spark):
    facts = measured(spark, ("a", 1, APRIL, 1.0), ("a", 1, MAY, 1.0), ("a", 1, MAY, 2.0))
    assert {p: (f.rows, f.distinct_keys) for p, f in facts.items()} == {APRIL: (1, 1), MAY: (2, 1)}


def test_rows_without_a_partition_are_measured_too(spark):
    facts = measured(spark, ("a", 1, None, 1.0), ("b", 1, APRIL, 1.0))
    assert {p: (f.rows, f.distinct_keys) for p, f in facts.items()} == {
        "None": (1, 1),
        APRIL: (1, 1),
    }


def test_rules_over_a_partition_see_its_rows(spark):
    facts = measured(spark, ("a", 1, APRIL, 1.0), ("a", 1, APRIL, 9.0), ("a", 1, MAY, 9.0))
    assert facts[APRIL].broken_table_rules == {"spread": True}
    assert facts[MAY].broken_table_rules == {"spread": False}


def test_an_aggregate_is_counted_by_what_it_stands_for(spark):
    facts = measured(spark, ("a", 3, APRIL, 1.0), ("b", 4, APRIL, 1.0), counted_by="sum(number)")
    assert (facts[APRIL].rows, facts[APRIL].counted) == (2, 7)


def test_no_rows_have_no_facts(spark):
    assert measured(spark) == {}


def facts_of(spark, contract, *rows):
    ddl = ", ".join(f"{column.name} {column.type}" for column in contract.columns)
    return audit.measure(spark.createDataFrame(rows, ddl), contract)


def test_a_rule_about_a_value_that_is_not_there_is_broken(spark):
    light = RowRule("light", "weight < 5", "Parcels are light.")
    total = TableRule("total", "sum(weight) < 5", "All of them are light.")
    contract = replace(PARCELS, row_rules=(light,), table_rules=(total,))
    facts = facts_of(spark, contract, ("a", 1, APRIL, None))[APRIL]
    assert facts.broken_row_rules == {"light": 1}
    assert facts.broken_table_rules == {"total": True}


def test_where_a_value_is_missing_is_part_of_the_content(spark):
    height = Column("height", "double", "Height", is_nullable=True, unit="cm")
    contract = replace(PARCELS, columns=(*PARCELS.columns, height))
    one = facts_of(spark, contract, ("a", 1, APRIL, 2.0, None))[APRIL]
    other = facts_of(spark, contract, ("a", 1, APRIL, None, 2.0))[APRIL]
    assert one.fingerprint != other.fingerprint


def test_just_as_many_rejected_rows_as_allowed_are_accepted():
    contract = replace(PARCELS, has_quarantine=True, max_quarantine_share=0.5)

    def share(quarantined):
        ledgers = {APRIL: Ledger(4, 4 - quarantined, quarantined)}
        found = audit.judge(contract, Window(APRIL, APRIL), [], {}, ledgers)
        return {o.check.name: o.is_passed for o in found}["quarantine_share"]

    assert (share(2), share(3)) == (True, False)


def test_rules_over_a_partition_count_no_rows_too(spark):
    rules = {
        "enough": "count(*) >= 1000",
        "few": "count(*) <= 1000",
        "light": "avg(weight) < 5",
        "share": "count_if(weight < 5) / count(*) < 0.1",
    }
    table_rules = tuple(TableRule(name, text, "So it is.") for name, text in rules.items())
    contract = replace(PARCELS, table_rules=table_rules)
    rows = spark.createDataFrame([], "hub string, number bigint, month string, weight double")
    found = audit.of_no_rows(rows, contract, [APRIL, MAY])
    assert list(found) == [APRIL, MAY]
    assert found[MAY].broken_table_rules == {
        "enough": True,
        "few": False,
        # Nothing is known of the mean of none, nor of a share of none.
        "light": False,
        "share": False,
    }


@pytest.mark.parametrize(
    ("weights", "found"),
    [
        ((1.0, None), {}),
        # Finite, though their sum is not.
        ((1.7e308, 1.7e308), {}),
        ((float("nan"), None), {"weight": 1}),
        ((float("inf"), float("-inf")), {"weight": 2}),
        ((float("-inf"), 2.0), {"weight": 1}),
    ],
)
def test_what_is_no_number_is_counted_in_each_column(spark, weights, found):
    rows = [("a", n, APRIL, weight) for n, weight in enumerate(weights)]
    facts = measured(spark, *rows, ("a", 1, MAY, 1.0))
    assert (facts[APRIL].not_finite, facts[MAY].not_finite) == (found, {})


def test_what_is_infinite_is_refused_unless_it_was_delivered_or_measured_so():
    assert PARCELS.finite_columns == ["weight"]
    assert "finite" in [check.name for check in PARCELS.checks]
    odd = replace(audit.EMPTY, not_finite={"weight": 3})
    found = audit.judge(PARCELS, Window(APRIL, APRIL), [], {APRIL: odd}, {APRIL: Ledger(0, 0)})
    [outcome] = [one for one in found if not one.is_passed]
    assert (outcome.check.name, outcome.by_partition) == ("finite", {APRIL: "3 in weight"})
    assert outcome.check.severity is Severity.block

    measured_so = replace(PARCELS.columns[-1], may_be_infinite=True)
    loose = replace(PARCELS, columns=(*PARCELS.columns[:-1], measured_so))
    assert "finite" not in [check.name for check in loose.checks]
    assert not loose.passed_on("weight").may_be_infinite, "a table that takes it over is its own"
    for contract in (drift_contract(MODEL), evaluation_contract(MODEL)):
        assert not contract.finite_columns
    assert prediction_contract(MODEL).finite_columns
    delivered = Source(
        "x", "{partition}.parquet", (SourceColumn("x", type="double"),), ParquetFile()
    )
    assert not bronze_contract(delivered, "bronze.x", "As it came.").finite_columns
