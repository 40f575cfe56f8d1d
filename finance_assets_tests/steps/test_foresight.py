"""What looks ahead does not load: the use case's own steps, each with one declaration changed."""

from dataclasses import replace
from pathlib import Path

import pytest

from finance_assets.errors import ModelError
from finance_assets.lakehouse.contract import Column, Contract
from finance_assets.step.declaration import Input, Kind, Step
from finance_assets.step.foresight import require_no_foresight
from finance_assets.steps.declared import table_steps
from finance_assets.steps.derived import Table
from finance_assets_tests.scenario import (
    GOLD,
    MODEL,
    NAME,
    SILVER,
    USE_CASE,
    contract,
)
from finance_assets_tests.small_model import small_model

STEPS = USE_CASE.steps
FEATURES, LABELS, ACCOUNTS = MODEL.features, MODEL.labels, contract(GOLD)


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


@pytest.mark.parametrize("column", ["is_default", "matured_month"])
@pytest.mark.parametrize("offset", [0, -1])
def test_a_feature_made_of_the_labels_does_not_load(column, offset):
    other, steps = with_column(FEATURES, "payment_ntd", f"{LABELS.table}.{column}")
    [step] = [s for s in steps if s.key == FEATURES.table]
    read = replace(step, inputs=(*step.inputs, Input(LABELS, offset, offset)))
    with pytest.raises(ModelError, match=f"feature payment_ntd of {NAME} knows the outcome"):
        require_no_foresight(swapped(read, steps), replace(MODEL, features=other))


def test_a_feature_made_of_the_labels_by_way_of_another_table_does_not_load():
    _, steps = with_column(ACCOUNTS, "payment_ntd", f"{LABELS.table}.is_default")
    [step] = [s for s in steps if s.key == GOLD]
    read = replace(step, inputs=(*step.inputs, Input(LABELS)))
    with pytest.raises(ModelError, match=rf"payment_ntd .*{LABELS.table}.is_default"):
        require_no_foresight(swapped(read, steps), MODEL)


def of_the_same_partition(lag_free_offset):
    """A use case whose outcome comes with its row: labels in the partition of their row."""
    labels = replace(LABELS, partition_column="statement_month")
    spec = replace(MODEL, labels=labels, label_lag=0)
    gold = Input(ACCOUNTS, lag_free_offset, lag_free_offset)
    steps = changed(LABELS.table, contract=labels)
    return tuple(replace(s, inputs=(gold,)) if s.key == FEATURES.table else s for s in steps), spec


def test_what_the_outcome_is_made_of_is_a_feature_only_before_the_outcome_is_known():
    with pytest.raises(ModelError, match=rf"made of {SILVER}.pay_status of the same"):
        require_no_foresight(*of_the_same_partition(0))
    require_no_foresight(*of_the_same_partition(-1))


def test_a_feature_of_which_nothing_says_what_it_is_made_of_does_not_load():
    other, steps = with_column(FEATURES, "payment_ntd")
    with pytest.raises(ModelError, match=r"nothing says what features.*payment_ntd is made of"):
        require_no_foresight(steps, replace(MODEL, features=other))


def test_nor_does_one_that_rests_on_such_a_column():
    _, steps = with_column(ACCOUNTS, "payment_ntd")
    with pytest.raises(ModelError, match=r"nothing says what gold.*payment_ntd is made of"):
        require_no_foresight(steps, MODEL)


def test_lineage_to_a_table_that_is_not_read_does_not_load():
    other, steps = with_column(FEATURES, "payment_ntd", f"{SILVER}.payment_ntd")
    with pytest.raises(ModelError, match="which its step does not read"):
        require_no_foresight(steps, replace(MODEL, features=other))


def test_lineage_to_a_column_that_does_not_exist_does_not_load():
    other, steps = with_column(FEATURES, "payment_ntd", f"{GOLD}.payment_usd")
    with pytest.raises(ModelError, match="column that does not exist: gold.*payment_usd"):
        require_no_foresight(steps, replace(MODEL, features=other))


def test_features_that_no_step_makes_do_not_load():
    steps = tuple(step for step in STEPS if step.key != FEATURES.table)
    with pytest.raises(ModelError, match="no step makes the features"):
        require_no_foresight(steps, MODEL)


EVENTS = Contract(
    "silver.loan_events",
    "What happened to loans.",
    columns=(
        Column("loan", "bigint", "Number"),
        Column("month", "string", "Month"),
        Column("kind", "string", "What happened: also whether it was the default"),
        Column("amount", "double", "Amount"),
    ),
    key=("loan", "month", "kind"),
    partition_column="month",
)
LOANS = Contract(
    "silver.loans",
    "What loans are.",
    columns=(
        Column("loan", "bigint", "Number"),
        Column("month", "string", "Month"),
        Column("region", "string", "Where it was granted"),
    ),
    key=("loan", "month"),
    partition_column="month",
)
LOAN_LABELS = Table(
    "labels.loan_labels",
    "Loans that defaulted in their month.",
    inputs=(EVENTS,),
    columns=("loan", "month", Column("is_default", "boolean", "Defaulted", is_nullable=True)),
    transform="SELECT loan, month, max(kind = 'default') AS is_default FROM loan_events"
    " GROUP BY loan, month",
    key=("loan", "month"),
)


def loans(labels, expression, where=""):
    """A use case whose outcome comes with its row, with a feature of this expression."""
    features = Table(
        "features.loan_features",
        "What a model may see.",
        inputs=(EVENTS,),
        columns=("loan", "month", Column("x", "double", "A feature")),
        transform=f"SELECT loan, month, {expression} AS x FROM loan_events {where}"
        " GROUP BY loan, month",
        key=("loan", "month"),
        counted_by="sum(x)",
    )
    source = Step("loans", Kind.table, EVENTS, (), lambda ctx: None)
    steps = (source, *table_steps("loans", (features, labels), Path("nowhere")))
    spec = small_model(
        "loans",
        features=features.contract,
        labels=labels.contract,
        feature_names=("x",),
        target="is_default",
        label_lag=0,
        protected=(LOANS, "region"),
        lineage=(EVENTS,),
    )
    return steps, spec


def test_what_says_which_row_it_is_may_be_looked_up_by_and_counted():
    require_no_foresight(*loans(LOAN_LABELS, "sum(amount)"))
    require_no_foresight(*loans(LOAN_LABELS, "count(*)"))


@pytest.mark.parametrize(
    ("expression", "where"),
    [
        ("max(CASE WHEN kind = 'default' THEN 1.0 END)", ""),
        ("count(*)", "WHERE kind = 'default'"),
        ("sum(amount)", "WHERE kind <> 'default'"),
    ],
)
def test_a_feature_that_only_filters_by_the_outcome_does_not_load(expression, where):
    with pytest.raises(ModelError, match=r"made of silver.loan_events.kind of the same"):
        require_no_foresight(*loans(LOAN_LABELS, expression, where))


def test_an_outcome_that_only_its_filter_names_is_known_too():
    filtered = replace(
        LOAN_LABELS,
        transform="SELECT loan, month, true AS is_default FROM loan_events"
        " WHERE kind = 'default' GROUP BY loan, month",
    )
    with pytest.raises(ModelError, match=r"made of silver.loan_events.kind of the same"):
        require_no_foresight(*loans(filtered, "sum(amount)", "WHERE kind <> 'default'"))
