"""Customers: a CSV with semicolons, in Latin-1, with its own words for nothing."""

from finance_assets.lakehouse.contract import RowRule
from finance_assets.lakehouse.sources.csv import Csv
from finance_assets.lakehouse.sources.source import Source
from finance_assets.steps.entity import Delivered, Entity

CUSTOMERS = Entity(
    "silver.phone_customers",
    "The customers of a week.",
    source=Source(
        "the billing system",
        "kunden_{partition}.csv.gz",
        format=Csv(";", encoding="latin-1"),
        null_tokens=("NA", "?"),
    ),
    columns=(
        Delivered("customer", "bigint", "Number of the customer", at_source="Kunde", is_pii=True),
        Delivered("region", "string", "Nord, Süd", at_source="Gebiet", is_pii=True),
        Delivered("fee", "double", "Monthly fee", at_source="Gebühr", is_nullable=True, unit="€"),
        Delivered("rebate", "int", "Rebate", at_source="Nachlaß", is_nullable=True, unit="%"),
    ),
    key=("customer", "delivered_for"),
    rules=(RowRule("region_known", "region IN ('Nord', 'Süd')", "There are two regions."),),
    max_quarantine_share=0.05,
)
