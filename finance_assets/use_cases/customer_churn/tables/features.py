"""Features: what a model may see of a household at the end of a month."""

from finance_assets.steps.derived import Table, passed
from finance_assets.use_cases.customer_churn.tables.household_months import HOUSEHOLD_MONTHS

FEATURE_NAMES = (
    "days_since_purchase",
    "baskets_1m",
    "days_per_basket",
    "days_between_visits",
    "overdue_ratio",
    "spend_1m_usd",
    "spend_per_month_usd",
    "spend_per_basket_usd",
    "discount_share",
    "weekend_share",
    "baskets_change_1m",
    "spend_change_1m_usd",
    "baskets_trend_3m",
    "spend_trend_3m",
)

FEATURES = Table(
    "features.customer_churn_features",
    "What a model may see of a household at the end of a month: nothing later, and of the "
    "register nothing.",
    inputs=(HOUSEHOLD_MONTHS,),
    columns=(*("household_id", "month"), *passed(FEATURE_NAMES, "double")),
    min_rows=1,
)
