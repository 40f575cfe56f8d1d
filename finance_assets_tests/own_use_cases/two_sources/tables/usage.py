"""Usage: a Parquet file whose columns have other names there."""

from finance_assets.lakehouse.sources.parquet import ParquetFile
from finance_assets.lakehouse.sources.source import Source
from finance_assets.steps.entity import Bronze, Delivered, Entity

USAGE = Entity(
    "silver.phone_usage",
    "Calls of a customer in a week.",
    source=Source("the network", "cdr-{partition}.parquet", format=ParquetFile()),
    columns=(
        Delivered("customer", "bigint", "Number of the customer", at_source="SubscriberID"),
        Delivered("calls", "bigint", "Calls", at_source="nCalls", delivered_type="int"),
        Delivered("dropped", "double", "Share of dropped calls", "DropRate", is_nullable=True),
    ),
    key=("customer", "delivered_for"),
    bronze=Bronze("bronze.phone_records"),
)
