"""What the baselines share: the months, where tables lie, and the rules a row has to keep."""

from pathlib import Path

from finance_assets.use_cases.credit_default.tables.statements import STATEMENTS
from finance_assets.use_cases.credit_default.use_case import CALENDAR

MONTHS = tuple(CALENDAR.partitions())
BRONZE, SILVER, REJECTED = "bronze", "silver", "rejected"
GOLD, PORTFOLIO, FEATURES, LABELS = "account_months", "portfolio", "features", "labels"
COLUMNS = STATEMENTS.full_source.header
# Spark SQL's names of the types; statement_month stays text.
TYPES = {column.name: column.type for column in STATEMENTS.contract.columns}
VALID = (
    "account_id > 0 AND credit_limit_ntd > 0 AND sex_code IN (1, 2)"
    " AND education_code BETWEEN 0 AND 6 AND marital_status_code BETWEEN 0 AND 3"
    " AND age_years BETWEEN 18 AND 120 AND pay_status BETWEEN -2 AND 9"
    " AND payment_ntd >= 0 AND bill_ntd IS NOT NULL"
)


def delivery(folder: Path, month: str) -> Path:
    """The file of a month."""
    return STATEMENTS.full_source.path(folder, month)


def months_until(month: str, count: int) -> tuple[str, ...]:
    """The last `count` months up to one, those before the first left out."""
    last = MONTHS.index(month) + 1
    return MONTHS[max(0, last - count) : last]
