"""What looks ahead does not load: the use case's own steps, each with one declaration changed."""

from dataclasses import replace

import pytest

from finance_assets.errors import ModelError
from finance_assets.lakehouse.contract import Column
from finance_assets.step.declaration import Input
from finance_assets.step.foresight import require_no_foresight
from finance_assets.use_cases.credit_default.derived import (
    FEATURES,
    GOLD_ACCOUNT_MONTHS,
    LABELS,
)
from finance_assets.use_cases.credit_default.use_case import MODEL, USE_CASE

STEPS = USE_CASE.steps
SILVER = "silver.credit_statements"


def changed(table, **change):
    """The use case's steps, one of them otherwise."""
    return tuple(replace(s, **change) if s.key == table else s for s in STEPS)


def with_column(contract, name, *derived_from):
    """The step of a table with a column made of something else."""
    column = Column(name, "double", "Sabotage", derived_from=derived_from)
    columns = tuple(column if c.name == name else c for c in contract.columns)
    other = replace(contract, columns=columns)
    return other, changed(contract.table, contract=other)


def swapped(step, steps=STEPS):
    return tuple(step if s.key == step.key else s for s in steps)


def test_the_use_case_as_it_is_declared_loads():
    require_no_foresight(STEPS, MODEL)


@pytest.mark.parametrize("offset", [1, 2, 12])
def test_an_input_that_looks_ahead_does_not_load(offset):
    steps = changed(FEATURES.table, inputs=(Input(GOLD_ACCOUNT_MONTHS, last_offset=offset),))
    with pytest.raises(ModelError, match=f"{FEATURES.table} looks ahead"):
        require_no_foresight(steps, MODEL)
    with pytest.raises(ModelError, match="looks ahead"):
        replace(USE_CASE, steps=steps)


def test_a_table_that_looks_ahead_under_the_features_does_not_load():
    [gold] = [s for s in STEPS if s.key == GOLD_ACCOUNT_MONTHS.table]
    ahead = tuple(replace(item, last_offset=1) for item in gold.inputs)
    with pytest.raises(ModelError, match=f"{GOLD_ACCOUNT_MONTHS.table} looks ahead"):
        require_no_foresight(swapped(replace(gold, inputs=ahead)), MODEL)


@pytest.mark.parametrize("column", ["is_default", "matured_month"])
@pytest.mark.parametrize("offset", [0, -1])
def test_a_feature_made_of_the_labels_does_not_load(column, offset):
    other, steps = with_column(FEATURES, "payment_ntd", f"{LABELS.table}.{column}")
    [step] = [s for s in steps if s.key == FEATURES.table]
    read = replace(step, inputs=(*step.inputs, Input(LABELS, offset, offset)))
    with pytest.raises(ModelError, match="feature payment_ntd of credit_default knows the outcome"):
        require_no_foresight(swapped(read, steps), replace(MODEL, features=other))


def test_a_feature_made_of_the_labels_by_way_of_another_table_does_not_load():
    _, steps = with_column(GOLD_ACCOUNT_MONTHS, "payment_ntd", f"{LABELS.table}.is_default")
    [step] = [s for s in steps if s.key == GOLD_ACCOUNT_MONTHS.table]
    read = replace(step, inputs=(*step.inputs, Input(LABELS)))
    with pytest.raises(ModelError, match=r"payment_ntd .*labels.credit_default.is_default"):
        require_no_foresight(swapped(read, steps), MODEL)


def of_the_same_partition(lag_free_offset):
    """A use case whose outcome comes with its row: labels in the partition of their row."""
    labels = replace(LABELS, partition_column="statement_month")
    spec = replace(MODEL, labels=labels, label_lag=0)
    gold = Input(GOLD_ACCOUNT_MONTHS, lag_free_offset, lag_free_offset)
    steps = changed(LABELS.table, contract=labels)
    return tuple(replace(s, inputs=(gold,)) if s.key == FEATURES.table else s for s in steps), spec


def test_what_the_outcome_is_made_of_is_a_feature_only_before_the_outcome_is_known():
    with pytest.raises(
        ModelError, match=r"made of silver.credit_statements.pay_status of the same"
    ):
        require_no_foresight(*of_the_same_partition(0))
    require_no_foresight(*of_the_same_partition(-1))


def test_a_feature_of_which_nothing_says_what_it_is_made_of_does_not_load():
    other, steps = with_column(FEATURES, "payment_ntd")
    with pytest.raises(ModelError, match=r"nothing says what features.*payment_ntd is made of"):
        require_no_foresight(steps, replace(MODEL, features=other))


def test_nor_does_one_that_rests_on_such_a_column():
    _, steps = with_column(GOLD_ACCOUNT_MONTHS, "payment_ntd")
    with pytest.raises(ModelError, match=r"nothing says what gold.*payment_ntd is made of"):
        require_no_foresight(steps, MODEL)


def test_lineage_to_a_table_that_is_not_read_does_not_load():
    other, steps = with_column(FEATURES, "payment_ntd", f"{SILVER}.payment_ntd")
    with pytest.raises(ModelError, match="which its step does not read"):
        require_no_foresight(steps, replace(MODEL, features=other))


def test_lineage_to_a_column_that_does_not_exist_does_not_load():
    other, steps = with_column(FEATURES, "payment_ntd", f"{GOLD_ACCOUNT_MONTHS.table}.payment_usd")
    with pytest.raises(ModelError, match="column that does not exist: gold.*payment_usd"):
        require_no_foresight(steps, replace(MODEL, features=other))


def test_features_that_no_step_makes_do_not_load():
    steps = tuple(step for step in STEPS if step.key != FEATURES.table)
    with pytest.raises(ModelError, match="no step makes the features"):
        require_no_foresight(steps, MODEL)
