"""An entity declares a delivery and its typed form once; bronze and silver follow."""

from dataclasses import replace
from pathlib import Path

import pytest

from finance_assets.errors import DeclarationError
from finance_assets.lakehouse.contract import Column, RowRule, Severity, TableRule
from finance_assets.lakehouse.sources.bronze import bronze_contract
from finance_assets.lakehouse.sources.csv import Csv
from finance_assets.lakehouse.sources.parquet import ParquetFile
from finance_assets.lakehouse.sources.source import Source, SourceColumn, columns_named
from finance_assets.steps.entity import Bronze, Delivered, Entity

LOANS = Entity(
    "silver.loans",
    "Loans by week.",
    source=Source("the bank", "loans_{partition}.csv", format=Csv(";"), null_tokens=("NA",)),
    columns=(
        Delivered("loan", "bigint", "Number of the loan", at_source="ID", is_pii=True),
        Delivered("income", "double", "Income", is_nullable=True, unit="€", null_tokens=("?",)),
    ),
    key=("loan", "delivered_for"),
)
FIRST, SECOND = LOANS.columns


def columns(contract):
    return {column.name: column for column in contract.columns}


def test_the_source_has_the_columns_under_their_names_there():
    assert LOANS.full_source.header == ("ID", "income")
    assert LOANS.full_source.column_names == ("loan", "income")
    assert LOANS.full_source.columns[0].is_pii


def test_bronze_holds_the_text_and_silver_the_types():
    assert LOANS.bronze_contract == bronze_contract(
        LOANS.full_source, "bronze.loans_deliveries", Bronze().description
    )
    assert columns(LOANS.bronze_contract)["income"].null_tokens == ("NA", "?")
    assert columns(LOANS.contract) == {
        "loan": Column(
            "loan",
            "bigint",
            "Number of the loan",
            is_pii=True,
            derived_from=("bronze.loans_deliveries.loan",),
        ),
        "income": Column(
            "income",
            "double",
            "Income",
            is_nullable=True,
            unit="€",
            derived_from=("bronze.loans_deliveries.income",),
        ),
        "delivered_for": Column(
            "delivered_for",
            "string",
            "Partition that the delivery is for",
            derived_from=("bronze.loans_deliveries.delivered_for",),
        ),
    }


def test_a_format_with_types_delivers_them():
    typed = replace(
        LOANS,
        source=Source("the bank", "loans_{partition}.parquet", format=ParquetFile()),
        columns=(FIRST, replace(SECOND, delivered_type="int", null_tokens=("-1",))),
    )
    assert columns(typed.bronze_contract)["income"].null_tokens == ("-1",)
    assert [column.type for column in typed.full_source.columns] == ["bigint", "int"]
    assert columns(typed.contract)["income"].type == "double"


def test_a_delivered_column_can_be_the_partition():
    weekly = replace(
        LOANS,
        columns=(*LOANS.columns, Delivered("week", "string", "Week")),
        key=("loan", "week"),
        partition_column="week",
    )
    assert weekly.bronze_contract.partition_column == "delivered_for"
    assert weekly.contract.partition_column == "week"
    assert "delivered_for" not in weekly.contract.column_names


def test_a_column_can_stay_in_bronze():
    spare = Delivered("spare", "string", "Nobody knows", is_bronze_only=True)
    more = replace(LOANS, columns=(*LOANS.columns, spare))
    assert more.full_source.header == ("ID", "income", "spare")
    assert "spare" in more.bronze_contract.column_names
    assert more.contract == LOANS.contract


def test_everything_that_follows_can_be_said_otherwise():
    row, table = RowRule("some", "loan > 0", "x"), TableRule("few", "count(*) < 9", "x")
    own = replace(
        LOANS,
        source=Source("x", "{partition}.csv", columns_named(("loan", "income", "spare"))),
        columns=(Column("loan", "bigint", "Number"),),
        key=("loan",),
        partition_column="loan_week",
        rules=(row, replace(table, severity=Severity.warn)),
        min_rows=0,
        max_quarantine_share=0.2,
        bronze=Bronze("bronze.other", "Other.", partition_description="Week"),
    )
    assert "spare" in own.bronze_contract.column_names
    assert own.contract.column_names == ["loan", "loan_week"]
    assert (own.bronze_contract.table, own.contract.min_rows) == ("bronze.other", 0)
    assert own.contract.row_rules == (row,)
    ingest, refine = own.steps("bank", Path("nowhere"))
    assert (ingest.contract, refine.contract) == (own.bronze_contract, own.contract)
    assert ingest.source == own.full_source


def test_a_table_whose_source_may_be_absent_may_be_empty():
    assert LOANS.contract.min_rows == 1
    later = replace(LOANS, source=Source("the bank", "{partition}.csv", first="2024-02"))
    assert (later.contract.min_rows, later.bronze_contract.min_rows) == (0, 0)


OWN = Source("x", "{partition}.csv", (SourceColumn("loan"),))
MISTAKES = {
    "no columns": ({"columns": ()}, "no column is declared"),
    "a column twice": ({"columns": (FIRST, FIRST)}, "two columns have the name 'loan'"),
    "a name at the source twice": (
        {"columns": (FIRST, replace(SECOND, at_source="ID"))},
        "two columns have the name at the source 'ID'",
    ),
    "a name of where rows came from": (
        {"columns": (replace(FIRST, name="_loan"), SECOND)},
        "no name of a delivered column",
    ),
    "a mixed-case column": (
        {"columns": (replace(FIRST, name="Loan"), SECOND)},
        "'Loan' is no name",
    ),
    "an unknown type": ({"columns": (replace(FIRST, type="long"), SECOND)}, "'long' is no type"),
    "a column nobody described": (
        {"columns": (replace(FIRST, description=""), SECOND)},
        "description of loan: is empty",
    ),
    "a column that is not delivered": (
        {"columns": (FIRST, Column("income", "double", "Income"))},
        "nothing says that it is delivered",
    ),
    "columns declared twice": ({"source": OWN}, "the source declares its columns itself"),
    "a column that the source has not": (
        {"source": OWN, "columns": (Column("income", "double", "Income"),), "key": ("income",)},
        "has no column income to read it from",
    ),
    "a file that does not depend on the partition": (
        {"source": lambda: Source("the bank", "loans.csv")},
        "does not depend on the partition",
    ),
    "a type that is narrower than the delivered one": (
        {
            "source": Source("the bank", "loans_{partition}.parquet", format=ParquetFile()),
            "columns": (replace(FIRST, type="int", delivered_type="bigint"),),
        },
        "a delivered bigint cannot be read as int",
    ),
    "a null token that the delivered type has not": (
        {"source": Source("the bank", "loans_{partition}.parquet", format=ParquetFile())},
        "null_tokens of income: it is delivered as double, and '?' never is one",
    ),
    "no key": ({"key": ()}, "key: there is none"),
    "an unknown key": ({"key": ("lona",)}, "'lona' does not exist"),
    "a share of more than all": ({"max_quarantine_share": 2.0}, "max_quarantine_share: is 2.0"),
    "a rule on an unknown column": (
        {"rules": (RowRule("odd", "lona > 0", "x"),)},
        "'lona' does not exist",
    ),
}


@pytest.mark.parametrize(("changes", "said"), MISTAKES.values(), ids=MISTAKES)
def test_an_entity_with_a_mistake_does_not_load(changes, said):
    with pytest.raises(DeclarationError) as caught:
        replace(LOANS, **{k: v() if callable(v) else v for k, v in changes.items()})
    assert said in caught.value.what
    assert Path(__file__).name in caught.value.where
    assert caught.value.remedy.strip()
