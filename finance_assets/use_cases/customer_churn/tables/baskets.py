"""Baskets: what the tills send, as it came and typed; one row per basket, without its items.

The tills stamp UTC. The source does not say so, its hours do: where the stores are they are
quietest at 4 in the morning all year, by the stamps at 9 in winter and at 8 in summer. So the 86
baskets that are stamped 2018-01-01 were bought on New Year's Eve, and are December's.
"""

from finance_assets.calendar import Frequency
from finance_assets.lakehouse.contract import RowRule, Severity, TableRule
from finance_assets.lakehouse.sources.source import Source
from finance_assets.steps.entity import Bronze, Delivered, Entity

TIMEZONE = "America/New_York"
# SQL: the day of a purchase where the stores are.
PURCHASE_DAY = f"cast(from_utc_timestamp(purchased_at, '{TIMEZONE}') AS date)"


def _amount(name: str, at_source: str, description: str) -> Delivered:
    return Delivered(name, "decimal(10,2)", description, at_source=at_source, unit="$")


BASKETS = Entity(
    "silver.baskets",
    "One typed, deduplicated row per basket that was bought, in the month of its day there.",
    source=Source("the tills", "baskets_{partition}.csv.gz"),
    columns=(
        Delivered("basket_id", "bigint", "Number of the basket"),
        Delivered("household_id", "bigint", "Number of the household's card", is_pii=True),
        Delivered("store_id", "bigint", "Number of the store"),
        Delivered(
            "purchased_at",
            "timestamp",
            "When the till closed the basket (UTC)",
            at_source="transaction_timestamp",
        ),
        Delivered("items", "int", "Lines of the receipt", at_source="lines"),
        Delivered(
            "items_without_quantity",
            "int",
            "Lines with quantity 0: coupons and corrections",
            at_source="zero_quantity_lines",
        ),
        Delivered(
            "quantity", "bigint", "Sum of quantities; tens of thousands where fuel was bought"
        ),
        _amount("sales_usd", "sales_value", "Received by the retailer, all discounts taken off"),
        _amount("retail_discount_usd", "retail_disc", "Discount of the loyalty card"),
        _amount("coupon_discount_usd", "coupon_disc", "Discount of manufacturers' coupons"),
        _amount("coupon_match_usd", "coupon_match_disc", "Coupons matched by the retailer"),
    ),
    key=("basket_id",),
    partition_column="month",
    rules=(
        RowRule("household_id_positive", "household_id > 0", "Card numbers start at 1."),
        RowRule(
            "bought_in_the_month",
            f"{Frequency.monthly.sql_named(PURCHASE_DAY)} = month",
            "A basket belongs to the month of its day where the stores are.",
        ),
        RowRule(
            "something_paid",
            "sales_usd > 0",
            "Who paid nothing bought nothing: a coupon or a correction, and no sign of life.",
        ),
        RowRule(
            "something_taken",
            "quantity > 0",
            "A basket with nothing in it is a correction, whatever it cost.",
        ),
        RowRule("some_items", "items > 0", "A receipt has lines."),
        RowRule(
            "items_without_quantity_range",
            "items_without_quantity >= 0 AND items_without_quantity <= items",
            "No more lines without quantity than lines.",
        ),
        RowRule(
            "discounts_not_negative",
            "retail_discount_usd >= 0 AND coupon_discount_usd >= 0 AND coupon_match_usd >= 0",
            "A discount takes something off.",
        ),
        TableRule(
            "items_without_quantity_rare",
            "sum(items_without_quantity) <= 0.02 * sum(items)",
            "Lines with quantity 0 stay below 2 % (0.6 % in 2017); more is a change at the tills.",
            Severity.warn,
        ),
    ),
    # 0.2 to 0.4 % of a month's baskets are corrections.
    max_quarantine_share=0.02,
    bronze=Bronze(
        "bronze.basket_deliveries",
        "Every delivered basket row as it came, as text, with where it came from.",
        "month",
        "Month that the delivery is for (YYYY-MM)",
    ),
)
