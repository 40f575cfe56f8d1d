"""Sources as a use case declares them: renames, null tokens, and files that need not come."""

from dataclasses import replace
from pathlib import Path

import pytest

from finance_assets.errors import DeclarationError, DeliveryError
from finance_assets.lakehouse.contract import RowRule
from finance_assets.lakehouse.sources.csv import Csv
from finance_assets.lakehouse.sources.json_lines import JsonLines
from finance_assets.lakehouse.sources.source import Source, SourceColumn
from finance_assets.steps.ingest import ingest_step
from finance_assets_tests.lakehouse.sources.made_up import NAME, NOWHERE, Refined
from finance_assets_tests.scenario import failed

MARCH, APRIL, MAY = "2005-03", "2005-04", "2005-05"
COLUMNS = (
    SourceColumn("customer_id", at_source="", null_tokens=("-1",)),
    SourceColumn("is_delinquent", at_source="SeriousDlqin2yrs"),
    SourceColumn("monthly_income", at_source="Monthly Income"),
    SourceColumn("age_years", at_source="age", is_pii=True),
)
TEXT = ",SeriousDlqin2yrs,Monthly Income,age\n1,1,5000,40\n2,0,NA,50\n3,?, ? ,\n4,no,n/a,60\n"
CUSTOMERS = Refined(
    Source("the bureau", "customers_{partition}.csv", COLUMNS, null_tokens=("NA", "?")),
    {
        "customer_id": "bigint",
        "is_delinquent": "boolean",
        "monthly_income": "int",
        "age_years": "int",
    },
    key=("customer_id",),
    entity="customers",
    more={"row_rules": (RowRule("adult", "coalesce(age_years, 18) >= 18", "Adults; all."),)},
)
OUTCOMES = Refined(
    Source(
        "collections",
        "outcomes_{partition}.jsonl",
        (SourceColumn("customer_id"), SourceColumn("is_lost")),
        JsonLines(),
        first=MAY,
    ),
    {"customer_id": "bigint", "is_lost": "boolean"},
    key=("customer_id",),
    entity="outcomes",
)
REMARKS = Refined(
    replace(CUSTOMERS.source, file_pattern="remarks_{partition}.csv", is_optional=True),
    CUSTOMERS.types,
    key=("customer_id",),
    entity="remarks",
)


def test_columns_are_renamed_and_null_tokens_are_missing_values(runner, settings):
    CUSTOMERS.deliver(settings, APRIL, TEXT)
    CUSTOMERS.run(runner, APRIL)
    bronze = runner.rows(CUSTOMERS.bronze.table, "_source_line")
    assert [row["monthly_income"] for row in bronze] == ["5000", "NA", " ? ", "n/a"]
    silver = {row["customer_id"]: row for row in runner.rows(CUSTOMERS.silver.table)}
    assert [silver[n]["is_delinquent"] for n in (1, 2, 3)] == [True, False, None]
    assert [silver[n]["monthly_income"] for n in (1, 2, 3)] == [5000, None, None]
    assert runner.quarantined(CUSTOMERS.silver.table) == {5: "monthly_income: not readable as int"}


def test_a_token_of_one_column_means_nothing_in_another(runner, settings):
    CUSTOMERS.deliver(settings, APRIL, TEXT + "-1,1,-1,30\n")
    CUSTOMERS.run(runner, APRIL)
    reasons = runner.quarantined(CUSTOMERS.silver.table)
    assert reasons[6] == "customer_id: required, but missing"


def test_several_sources_of_a_use_case_lie_in_its_folder(runner, settings):
    CUSTOMERS.deliver(settings, MAY, TEXT)
    OUTCOMES.deliver(settings, MAY, '{"customer_id": 1, "is_lost": true}\n')
    CUSTOMERS.run(runner, MAY)
    OUTCOMES.run(runner, MAY)
    folder = settings.landing / NAME
    assert sorted(path.name for path in folder.iterdir()) == [
        "customers_2005-05.csv",
        "outcomes_2005-05.jsonl",
    ]
    assert runner.rows(OUTCOMES.silver.table)[0]["is_lost"] is True


def test_before_its_first_partition_a_source_need_not_come_and_then_it_must(runner, settings):
    result = OUTCOMES.run(runner, APRIL)
    assert result.publication is not None
    assert failed(result) == []
    history = runner.lakehouse.history(OUTCOMES.bronze.table)
    assert history.in_force(APRIL).ledgers[APRIL].delivered == 0
    with pytest.raises(DeliveryError, match="missing"):
        OUTCOMES.run(runner, MAY)
    OUTCOMES.deliver(settings, MAY, '{"customer_id": 1, "is_lost": true}\n')
    assert OUTCOMES.run(runner, APRIL, MAY).publication is not None
    assert [row["delivered_for"] for row in runner.rows(OUTCOMES.silver.table)] == [MAY]


def test_an_optional_delivery_may_be_left_out_come_late_or_say_that_there_is_nothing(
    runner, settings
):
    header = TEXT.split("\n")[0] + "\n"
    REMARKS.deliver(settings, APRIL, TEXT)
    REMARKS.deliver(settings, MAY, header)
    REMARKS.run(runner, MARCH, MAY)
    ledgers = runner.lakehouse.history(REMARKS.bronze.table).ledgers()
    assert [ledgers[p].delivered for p in (MARCH, APRIL, MAY)] == [0, 4, 0]
    # Two files without rows are not one delivery for two partitions.
    REMARKS.deliver(settings, MARCH, header)
    REMARKS.run(runner, MARCH)
    REMARKS.deliver(settings, MARCH, header + "9,1,1,30\n")
    REMARKS.run(runner, MARCH)
    ledgers = runner.lakehouse.history(REMARKS.bronze.table).ledgers()
    assert [ledgers[p].delivered for p in (MARCH, APRIL, MAY)] == [1, 4, 0]


def test_an_optional_delivery_that_was_there_and_is_gone_empties_nothing(runner, settings):
    path = REMARKS.deliver(settings, APRIL, TEXT)
    REMARKS.run(runner, APRIL)
    path.unlink()
    with pytest.raises(DeliveryError, match="missing"):
        REMARKS.run(runner, APRIL)
    assert len(runner.rows(REMARKS.bronze.table)) == 4


@pytest.mark.parametrize(
    ("format_", "content", "nothing"),
    [
        (Csv(), TEXT, TEXT.split("\n")[0] + "\n"),
        (Csv(has_header=False), "1,1,5000,40\n", ""),
        (JsonLines(), '{"": 1, "age": 40}\n', ""),
    ],
    ids=["a header", "nothing of a file without one", "nothing of JSON lines"],
)
@pytest.mark.parametrize("promise", [{"is_optional": True}, {"first": MAY}], ids=str)
def test_a_delivery_by_mistake_is_withdrawn_by_one_without_rows(
    runner, settings, promise, format_, content, nothing
):
    """Where none had to come. Taking it away is not enough, and the message says what is."""
    source = replace(CUSTOMERS.source, format=format_, **promise)
    wrong = replace(CUSTOMERS, source=source, more={})
    path = wrong.deliver(settings, APRIL, content)
    wrong.run(runner, APRIL)
    assert runner.rows(wrong.silver.table)
    path.unlink()
    with pytest.raises(DeliveryError, match="put one without rows there"):
        wrong.run(runner, APRIL)
    wrong.deliver(settings, APRIL, nothing)
    wrong.run(runner, APRIL)
    assert runner.rows(wrong.bronze.table) == runner.rows(wrong.silver.table) == []
    path.unlink()
    assert wrong.run(runner, APRIL).publication is not None


def test_where_rows_have_to_come_none_are_no_withdrawal(runner, settings):
    OUTCOMES.deliver(settings, MAY, "")
    with pytest.raises(DeliveryError, match="the delivery is empty"):
        OUTCOMES.run(runner, MAY)


def test_a_growing_partition_is_delivered_again_with_more_rows(runner, settings):
    lines = TEXT.split("\n")
    for count in (2, 3, 4):
        CUSTOMERS.deliver(settings, APRIL, "\n".join(lines[: count + 1]) + "\n")
        CUSTOMERS.run(runner, APRIL)
        ledger = runner.lakehouse.history(CUSTOMERS.bronze.table).ledgers()[APRIL]
        assert ledger.delivered == count


def test_without_a_landing_the_samples_that_ship_are_read(runner, settings, tmp_path, monkeypatch):
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "customers_2005-04.csv").write_text(TEXT)
    monkeypatch.setitem(settings.__dict__, "landing", None)
    step = ingest_step(NAME, CUSTOMERS.source, CUSTOMERS.bronze, tmp_path / "samples")
    runner.run(step.key, APRIL, step=step)
    assert len(runner.rows(CUSTOMERS.bronze.table)) == 4


@pytest.mark.parametrize(
    ("source", "changed", "words"),
    [
        (
            CUSTOMERS.source,
            {"columns": CUSTOMERS.bronze.columns[1:]},
            "column customer_id: is not as",
        ),
        (
            replace(CUSTOMERS.source, columns=COLUMNS[1:]),
            {},
            "customer_id: the source .* does not deliver it",
        ),
        (replace(CUSTOMERS.source, null_tokens=()), {}, "customer_id: is not as the source"),
        (REMARKS.source, {"min_rows": 1}, "may come without a file"),
    ],
)
def test_a_bronze_contract_that_is_not_its_sources_is_refused_when_it_is_declared(
    source, changed, words
):
    with pytest.raises(DeclarationError, match=words) as caught:
        ingest_step(NAME, source, replace(CUSTOMERS.bronze, **changed), NOWHERE)
    assert Path(__file__).name in caught.value.where


def test_a_silver_column_that_nothing_delivers_is_refused_when_it_is_declared():
    wrong = replace(CUSTOMERS, types={**CUSTOMERS.types, "sex": "int"})
    with pytest.raises(DeclarationError, match="has no column sex"):
        wrong.steps  # noqa: B018


def test_a_type_that_no_text_is_read_as_is_refused_when_it_is_declared():
    wrong = replace(CUSTOMERS, types={**CUSTOMERS.types, "age_years": "binary"})
    with pytest.raises(DeclarationError, match="'binary' is no type"):
        wrong.steps  # noqa: B018


def test_the_dialect_of_a_source_reaches_its_files(runner, settings):
    things = replace(
        CUSTOMERS, source=replace(CUSTOMERS.source, format=Csv("|", quote="'", encoding="latin-1"))
    )
    header = "|SeriousDlqin2yrs|Monthly Income|age\n"
    things.deliver(settings, APRIL, (header + "'1'|'no'|'5000'|\n").encode("latin-1"))
    things.run(runner, APRIL)
    [row] = runner.rows(things.silver.table)
    assert (row["customer_id"], row["is_delinquent"], row["monthly_income"]) == (1, False, 5000)
