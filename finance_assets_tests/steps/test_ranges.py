"""A run over a range makes of a partition what a run of its own makes."""

from pathlib import Path

import pytest

from finance_assets.calendar import Frequency
from finance_assets.lakehouse.contract import Column, Contract
from finance_assets.step.declaration import Input
from finance_assets.steps.derived import Table
from finance_assets.steps.ranges import ROWS, differing
from finance_assets_tests.scenario import APRIL, JUNE, MAY, NAME, SILVER, contract, failed

OVER_ALL = "bill_ntd / nullif(avg(bill_ntd) OVER (PARTITION BY sex_code), 0)"
OVER_ONE = "bill_ntd / nullif(avg(bill_ntd) OVER (PARTITION BY statement_month, sex_code), 0)"
DATA = contract(SILVER).entity
JOINED = f"""
    SELECT account_id, statement_month, bill_ntd / nullif(total, 0) AS share
    FROM {DATA}
    JOIN (SELECT sex_code, sum(bill_ntd) AS total FROM {DATA} GROUP BY sex_code)
    USING (sex_code)"""
FEWER = f"""
    SELECT account_id, statement_month, cast(1 AS double) AS share FROM {DATA}
    WHERE statement_month = (SELECT max(statement_month) FROM {DATA})"""


def selected(share):
    return f"SELECT account_id, statement_month, {share} AS share FROM {DATA}"


def step_of(transform):
    table = Table(
        "gold.bill_shares",
        "Bills by those of others.",
        inputs=(contract(SILVER),),
        columns=(
            *("account_id", "statement_month"),
            Column("share", "double", "Bill by the mean bill", is_nullable=True),
        ),
        transform=transform,
    )
    [step] = table.steps(NAME, Path("nowhere"))
    return step


@pytest.fixture
def made(runner, homes):
    """Every table of April and May."""
    homes.tables(runner, 20, MAY)
    return runner


@pytest.mark.parametrize("transform", [selected(OVER_ALL), JOINED, FEWER])
def test_a_transform_that_sees_other_partitions_of_a_range_is_refused(made, transform):
    step = step_of(transform)
    assert made.run(step.key, APRIL, step=step).publication, "alone there is nothing to see"
    refused = made.run(step.key, APRIL, MAY, step=step)
    assert refused.publication is None
    assert "range_is_its_partitions" in failed(refused)
    [outcome] = [o for o in refused.outcomes if o.check.name == "range_is_its_partitions"]
    what = ROWS if transform == FEWER else "share"
    assert f"{APRIL}: {step.key} has other rows by itself: {what} (" in outcome.observed
    assert "group and partition by `statement_month`" in outcome.observed


def test_a_frame_that_sees_more_of_the_past_in_a_range_is_refused(made):
    """April has no past either way: it is May's that is longer than by itself."""
    seen = "count(*) OVER (PARTITION BY account_id ORDER BY statement_month)"
    step = step_of(selected(f"cast({seen} AS double)"))
    refused = made.run(step.key, APRIL, MAY, step=step)
    [outcome] = [o for o in refused.outcomes if o.check.name == "range_is_its_partitions"]
    assert list(outcome.by_partition) == [MAY]
    assert f"Found {MAY}: {step.key} has other rows by itself: share (" in outcome.observed


def test_where_the_first_partition_of_a_range_has_no_rows_the_next_one_is_made_by_itself(made):
    """As that of labels, which are about the partition before."""
    known_in = Frequency.monthly.sql_shift("statement_month", 1)
    table = Table(
        "labels.bill_shares",
        "Bills by those of others, a month later.",
        inputs=(Input(contract(SILVER), -1, -1),),
        columns=(
            *("account_id", "statement_month"),
            Column("known_in", "string", "The month after"),
            Column("share", "double", "Bill by the mean bill", is_nullable=True),
        ),
        transform=f"SELECT account_id, statement_month, {known_in} AS known_in, {OVER_ALL} AS share "
        f"FROM {DATA}",
        partition_column="known_in",
    )
    [step] = table.steps(NAME, Path("nowhere"))
    refused = made.run(step.key, APRIL, JUNE, step=step)
    [outcome] = [o for o in refused.outcomes if o.check.name == "range_is_its_partitions"]
    assert outcome.observed.count(f"{MAY}: {step.key} has other rows by itself") == 1


def test_a_transform_that_keeps_to_its_partition_makes_ranges(made):
    step = step_of(selected(OVER_ONE))
    ranged = made.run(step.key, APRIL, MAY, step=step)
    assert ranged.publication is not None and not failed(ranged)
    assert "range_is_its_partitions" in [outcome.check.name for outcome in ranged.outcomes]
    # April by itself has the very same rows.
    assert not made.run(step.key, APRIL, step=step).changed


THINGS = Contract(
    "gold.things",
    "Things of a month.",
    columns=(
        Column("id", "bigint", "Number"),
        Column("month", "string", "Month"),
        Column("size", "double", "Size", is_nullable=True),
        Column("pieces", "bigint", "Pieces", is_nullable=True),
        Column("seen", "string", "Clock", is_nullable=True, is_volatile=True),
    ),
    key=("id",),
    partition_column="month",
)


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ([(1, 0.3, 7), (2, 1e-17, 1), (3, None, None)], {}),
        # Sums in another order.
        ([(1, 0.30000000000000004, 7), (2, 3e-17, 1), (3, None, None)], {}),
        ([(1, 0.3000001, 7), (2, 1e-17, 1), (3, None, None)], {"size": 1}),
        ([(1, 0.3, 8), (2, 1e-17, 1), (3, None, None)], {"pieces": 1}),
        ([(1, None, 7), (2, 1e-17, 1), (3, 2.0, 3)], {"size": 2, "pieces": 1}),
        ([(1, 0.3, 7), (2, 1e-17, 1), (4, None, None)], {ROWS: 2}),
        ([(1, float("nan"), 7), (2, 1e-17, 1), (3, None, None)], {"size": 1}),
        ([(1, float("inf"), 7), (2, 1e-17, 1), (3, None, None)], {"size": 1}),
    ],
)
def test_only_the_last_digits_of_fractions_may_differ(spark, other, found):
    def frame(rows, seen):
        full = [(key, APRIL, size, pieces, seen) for key, size, pieces in rows]
        ddl = "id bigint, month string, size double, pieces bigint, seen string"
        return spark.createDataFrame(full, ddl)

    alone = frame([(1, 0.3, 7), (2, 1e-17, 1), (3, None, None)], "now")
    assert differing(alone, frame(other, "later"), THINGS) == found
