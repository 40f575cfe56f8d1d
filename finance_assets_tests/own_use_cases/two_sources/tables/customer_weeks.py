"""Customer-weeks: customers with their usage. Made by a function of frames."""

from typing import TYPE_CHECKING

from finance_assets.lakehouse.contract import Column
from finance_assets.steps.derived import Table
from finance_assets_tests.own_use_cases.two_sources.tables.customers import CUSTOMERS
from finance_assets_tests.own_use_cases.two_sources.tables.usage import USAGE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def customer_weeks(phone_customers: "DataFrame", phone_usage: "DataFrame") -> "DataFrame":
    """Join the usage, and what a customer pays for a call."""
    joined = phone_customers.join(phone_usage, ["customer", "delivered_for"], "left")
    return joined.selectExpr(
        *("customer", "delivered_for", "region", "fee", "calls", "dropped"),
        "fee * (1 - coalesce(rebate, 0) / 100) as net_fee",
    )


CUSTOMER_WEEKS = Table(
    "gold.phone_customer_weeks",
    "One row per customer and week.",
    inputs=(CUSTOMERS, USAGE),
    columns=(
        *("customer", "delivered_for", "region", "fee"),
        Column(
            "calls",
            "bigint",
            "Calls",
            is_nullable=True,
            derived_from=(f"{USAGE.table}.calls",),
        ),
        "dropped",
        Column(
            "net_fee",
            "double",
            "Fee less rebate",
            is_nullable=True,
            unit="€",
            derived_from=(f"{CUSTOMERS.table}.fee", f"{CUSTOMERS.table}.rebate"),
        ),
    ),
    transform=customer_weeks,
    min_rows=1,
)
