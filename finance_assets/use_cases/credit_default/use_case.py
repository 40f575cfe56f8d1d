"""credit_default at a glance: its calendar, its tables, its model."""

from datetime import timedelta
from pathlib import Path

from finance_assets.calendar import Calendar, Frequency
from finance_assets.settings import get_settings
from finance_assets.step.use_case import UseCase
from finance_assets.steps.declared import table_steps
from finance_assets.steps.model_steps import model_steps
from finance_assets.use_cases.credit_default.model import model
from finance_assets.use_cases.credit_default.tables.account_months import ACCOUNT_MONTHS
from finance_assets.use_cases.credit_default.tables.features import FEATURES
from finance_assets.use_cases.credit_default.tables.labels import LABELS
from finance_assets.use_cases.credit_default.tables.official_defaults import OFFICIAL_DEFAULTS
from finance_assets.use_cases.credit_default.tables.portfolio import PORTFOLIO
from finance_assets.use_cases.credit_default.tables.statements import STATEMENTS

NAME = "credit_default"
OWNER = "credit-risk@example.com"
SAMPLES = Path(__file__).parent / "samples"

# The outcomes of September by the bank's own definition: landed by hand, to see what triage says.
LATE = Path(__file__).parent / "late"

TABLES = (STATEMENTS, ACCOUNT_MONTHS, PORTFOLIO, OFFICIAL_DEFAULTS, LABELS, FEATURES)
TABLE_STEPS = table_steps(NAME, TABLES, SAMPLES)
MODEL = model(NAME, OWNER)


def through(last: str) -> UseCase:
    """The use case with a calendar that ends with a month."""
    calendar = Calendar(
        Frequency.monthly,
        first="2005-04",
        last=last,
        due_after=timedelta(days=2, hours=6),
        late_after=timedelta(days=4),
        overdue_after=timedelta(days=14),
    )
    return UseCase(
        name=NAME,
        title="Credit default: who will be two or more months late next month?",
        owner=OWNER,
        calendar=calendar,
        steps=(*TABLE_STEPS, *model_steps(MODEL, calendar, TABLE_STEPS)),
        model=MODEL,
        samples=SAMPLES,
    )


# The public data ends with September 2005. A team with live deliveries leaves `last` out.
USE_CASE = through(get_settings().last_partition(NAME, "2005-09"))
CALENDAR = USE_CASE.calendar
