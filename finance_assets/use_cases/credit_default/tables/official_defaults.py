"""Official defaults: who the bank itself calls a default, where it delivers that. Off by default.

The public file has the flag for October 2005. It follows another definition than being two or more
months late: 22 % of accounts, where 10 to 15 % were late in the months before.
"""

from finance_assets.lakehouse.contract import RowRule
from finance_assets.lakehouse.sources.source import Source
from finance_assets.steps.entity import Delivered, Entity

OFFICIAL_DEFAULTS = Entity(
    "silver.credit_official_defaults",
    "One row per account and month for which the bank said whether it is a default.",
    source=Source(
        "the bank's risk register",
        "credit_official_defaults_{partition}.csv.gz",
        is_optional=True,
    ),
    columns=(
        Delivered("account_id", "bigint", "Account number at the card processor", is_pii=True),
        Delivered("default_month", "string", "Month of the default (YYYY-MM)"),
        Delivered("is_official_default", "boolean", "Default by the bank's own definition"),
    ),
    key=("account_id", "default_month"),
    partition_column="default_month",
    rules=(RowRule("account_id_positive", "account_id > 0", "Account numbers start at 1."),),
    max_quarantine_share=0.1,
)
