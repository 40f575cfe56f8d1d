"""Dirt: rows of February that no clean delivery has, and what becomes of each."""

from collections.abc import Callable

import pandas as pd

from finance_assets.lakehouse.sources.source import Source
from finance_assets_tests.use_cases.customer_churn.deliveries import TILLS

DIRTY_MONTH = "2017-02"
# By basket: its fields, and how the reason begins for which it is rejected (None: it is good).
DIRT: dict[str, tuple[dict[str, str], str | None]] = {
    "900": ({"sales_value": "0.00"}, "something_paid"),
    "901": ({"sales_value": "-3.10"}, "something_paid"),
    "902": ({"quantity": "0"}, "something_taken"),
    "903": ({"quantity": "0", "sales_value": "0.00"}, "something_paid"),
    "904": ({"transaction_timestamp": "2018-01-01 02:10:00"}, "bought_in_the_month"),
    # The evening before, where the stores are; and the last evening of the month.
    "905": ({"transaction_timestamp": "2017-02-01 04:59:59"}, "bought_in_the_month"),
    "906": ({"transaction_timestamp": "2017-02-01 05:00:00"}, None),
    "907": ({"transaction_timestamp": "2017-03-01 04:59:59"}, None),
    "908": ({"sales_value": "12.345"}, "sales_usd: not readable as decimal(10,2)"),
    "909": ({"retail_disc": "-1.00"}, "discounts_not_negative"),
    "910": ({"lines": "1", "zero_quantity_lines": "2"}, "items_without_quantity_range"),
}
GOOD = {
    "household_id": "10",
    "store_id": "330",
    "transaction_timestamp": "2017-02-11 17:00:00",
    "lines": "3",
    "zero_quantity_lines": "0",
    "quantity": "4",
    "sales_value": "9.99",
    "retail_disc": "0.50",
    "coupon_disc": "0.00",
    "coupon_match_disc": "0.00",
}


def with_dirt(month: str) -> Callable[[Source, pd.DataFrame], pd.DataFrame]:
    """The rows of a month; with the dirt, if it is February's."""

    def change(source: Source, rows: pd.DataFrame) -> pd.DataFrame:
        if source != TILLS or month != DIRTY_MONTH:
            return rows
        dirty = [{"basket_id": basket, **GOOD, **own} for basket, (own, _) in DIRT.items()]
        # An exact copy, and another basket under the number of one that is there.
        dirty += [
            dirty[6],
            {**GOOD, "basket_id": "920"},
            {**GOOD, "basket_id": "920", "lines": "9"},
        ]
        return pd.concat([rows, pd.DataFrame(dirty)[list(rows.columns)]])

    return change
