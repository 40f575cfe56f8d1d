"""A derived table is declared in one place; what follows from its inputs is not written."""

from dataclasses import replace
from pathlib import Path

import pytest

from finance_assets.errors import DeclarationError
from finance_assets.lakehouse.contract import Column, Contract, RowRule
from finance_assets.step.declaration import Input
from finance_assets.steps.derived import Passed, Table, passed
from finance_assets.steps.table import Conservation, table_step

VISITS = Contract(
    "silver.shop_visits",
    "What was seen of a customer on a day.",
    columns=(
        Column("customer", "bigint", "Number", is_pii=True),
        Column("day", "string", "Day"),
        Column("spent", "bigint", "Spent", unit="€"),
        Column("visits", "bigint", "Visits"),
        Column("has_left", "boolean", "Gone"),
    ),
    key=("customer", "day"),
    partition_column="day",
)
PEOPLE = replace(VISITS, table="silver.shop_people")
SPENDING = Table(
    "gold.shop_spending",
    "Spending by visit.",
    inputs=(VISITS,),
    columns=("customer", "day", Column("spent_per_visit", "double", "Spent / visits", unit="€")),
    transform="SELECT customer, day, spent / visits AS spent_per_visit FROM shop_visits",
)
FEATURES = Table(
    "features.shop_things",
    "What a model may see.",
    inputs=(VISITS,),
    columns=("customer", "day", *passed(("spent", "visits"), "double")),
)


def by_name(table):
    return {column.name: column for column in table.contract.columns}


def test_what_is_taken_over_keeps_what_the_input_says_of_it():
    taken = by_name(SPENDING)["customer"]
    assert taken == VISITS.passed_on("customer")
    assert taken.is_pii
    assert by_name(FEATURES)["spent"] == VISITS.passed_on("spent", "double")
    assert by_name(FEATURES)["spent"].unit == "€"


def test_what_is_computed_states_its_lineage_by_itself():
    assert by_name(SPENDING)["spent_per_visit"].derived_from == (
        "silver.shop_visits.spent",
        "silver.shop_visits.visits",
    )


def test_a_filter_is_part_of_the_lineage_of_what_is_taken_over_too():
    text = "SELECT customer, day, spent FROM shop_visits WHERE NOT has_left"
    table = replace(SPENDING, columns=("customer", "day", "spent"), transform=text)
    assert by_name(table)["spent"].derived_from == (
        "silver.shop_visits.spent",
        "silver.shop_visits.has_left",
    )


def test_key_partitions_and_what_is_accounted_for_are_the_first_inputs():
    assert (SPENDING.contract.key, SPENDING.contract.partition_column) == (
        ("customer", "day"),
        "day",
    )
    assert SPENDING.accounts_for == Conservation(VISITS)
    assert replace(
        SPENDING,
        inputs=(SPENDING.at(-1),),
        columns=SPENDING.columns,
        transform=("SELECT customer, day, spent_per_visit FROM shop_spending"),
    ).accounts_for == Conservation(SPENDING.contract, offset=-1)
    earlier = replace(FEATURES, inputs=(FEATURES.at(-2, 0),))
    assert earlier.accounts_for == Conservation(FEATURES.contract)
    summed = replace(SPENDING, counted_by="sum(customer)")
    assert summed.accounts_for == Conservation(VISITS, counted_by="sum(customer)")


def test_everything_that_follows_can_be_said_otherwise():
    rule = RowRule("sane", "spent_per_visit >= 0", "Nobody is paid for a visit.")
    said = replace(
        SPENDING,
        key=("day", "customer"),
        partition_column="day",
        rules=(rule,),
        conserves=Conservation(VISITS, -1, "count(*)"),
    )
    assert said.contract.key == ("day", "customer")
    assert said.contract.row_rules == (rule,)
    assert said.accounts_for.offset == -1


def test_a_function_states_the_lineage_of_what_it_computes():
    def spending(shop_visits):
        return shop_visits.selectExpr("customer", "day", "spent / visits as spent_per_visit")

    silent = replace(SPENDING, transform=spending)
    assert by_name(silent)["spent_per_visit"].derived_from == (), "no feature may rest on it"
    assert by_name(silent)["day"] == VISITS.passed_on("day")
    [step] = silent.steps("shop", Path("nowhere"))
    assert step.code == (spending,)


def test_a_step_of_a_function_of_other_tables_does_not_load_either():
    with pytest.raises(DeclarationError, match="transform: takes people"):
        table_step("shop", VISITS, (Input(VISITS),), function_of_others, Conservation(VISITS))


def test_the_text_of_a_select_decides_the_code_version():
    [step] = SPENDING.steps("shop", Path("nowhere"))
    assert step.declared == SPENDING.transform
    assert step.contract == SPENDING.contract


def sql(text, **more):
    return {"transform": text, **more}


def function_of_others(people):
    return people


TEXT = SPENDING.transform
MISTAKES = {
    "no inputs": ({"inputs": ()}, "inputs: there is none"),
    "an input twice": ({"inputs": (VISITS, VISITS)}, "'shop_visits' is declared more than once"),
    "an input that the transform never names": (
        {"inputs": (VISITS, PEOPLE)},
        "the transform never names shop_people",
    ),
    "a SELECT that cannot be read": (sql("SELECT customer, FROM WHERE"), "transform: cannot be"),
    "no SELECT": (sql("DROP TABLE shop_visits"), "transform: cannot be read"),
    "a SELECT of an unknown column": (sql(TEXT.replace("visits AS", "vists AS")), "vists"),
    "a SELECT from an unknown table": (sql(TEXT.replace("FROM shop", "FROM ship")), "cannot be"),
    "a SELECT that cannot be followed": (
        sql(
            "SELECT customer, day, x AS spent_per_visit FROM shop_visits"
            " LATERAL VIEW explode(array(1)) t AS x"
        ),
        "cannot be followed",
    ),
    "a column that the SELECT does not make": (
        {"columns": (*SPENDING.columns, Column("more", "double", "More"))},
        "columns: 'more' does not exist",
    ),
    "a column that nobody declared": (
        {"columns": SPENDING.columns[:2]},
        "the transform makes 'spent_per_visit' too",
    ),
    "a column taken over that no input has": (
        {"columns": ("customer", "day", "spent_per_visit")},
        "declared as taken over, but no input has it",
    ),
    "a column of an input's name that is computed": (
        sql(
            "SELECT customer, day, spent * visits AS spent FROM shop_visits",
            columns=("customer", "day", "spent"),
        ),
        "the transform makes it of more than the input's column",
    ),
    "a column of an input's name that is another one's": (
        sql(
            "SELECT customer, day, visits AS spent FROM shop_visits",
            columns=("customer", "day", "spent"),
        ),
        "the transform makes it of more than the input's column",
    ),
    "lineage that hides what the SELECT reads": (
        {
            "columns": (
                *("customer", "day"),
                Column(
                    "spent_per_visit", "double", "x", derived_from=("silver.shop_visits.spent",)
                ),
            )
        },
        "leaves out silver.shop_visits.visits",
    ),
    "a count of an unknown column": (
        {"counted_by": "sum(vists)"},
        "counted_by: 'vists' does not exist",
    ),
    "a count that aggregates nothing": (
        {"counted_by": "spent_per_visit"},
        "counted_by: names spent_per_visit outside an aggregate",
    ),
    "accounting that counts an unknown column": (
        {"conserves": Conservation(VISITS, counted_by="sum(vists)")},
        "conserves.counted_by: 'vists' does not exist",
    ),
    "a function of other tables": (
        {"transform": function_of_others},
        "transform: takes people",
    ),
    "a computed column without a transform": (
        {"transform": None},
        "column spent_per_visit: nothing makes it",
    ),
    "several inputs without a transform": (
        {"inputs": (VISITS, PEOPLE), "transform": None, "columns": ("customer", "day")},
        "there are inputs to combine",
    ),
    "no key": (
        sql("SELECT day, visits FROM shop_visits", columns=("day", "visits")),
        "key: is left out, and 'customer' of silver.shop_visits is no column here",
    ),
    "no partition column": (
        sql(
            "SELECT customer, visits FROM shop_visits",
            columns=("customer", "visits"),
            key=("customer",),
        ),
        "partition_column: is left out, and 'day'",
    ),
    "nothing that says what is accounted for": (
        {"inputs": (FEATURES.at(-3, -1),), "transform": None, "columns": ("customer", "day")},
        "none of these is said to be accounted for",
    ),
    "accounting for a table that is not read": (
        {"conserves": Conservation(PEOPLE)},
        "conserves: 'silver.shop_people' does not exist",
    ),
    "accounting said twice": (
        {"conserves": Conservation(VISITS), "counted_by": "count(*)"},
        "counted_by: is said twice",
    ),
    "a mistake in the contract": ({"description": ""}, "description: is empty"),
    "an unknown type": (
        {"transform": None, "columns": ("customer", "day", Passed("spent", "duoble"))},
        "'duoble' is no type",
    ),
}


@pytest.mark.parametrize(("changes", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_table_with_a_mistake_does_not_load(changes, said):
    with pytest.raises(DeclarationError) as caught:
        replace(SPENDING, **changes)
    error = caught.value
    assert said in error.what
    assert Path(__file__).name in error.where
    assert error.remedy.strip()
