"""customer_churn at a glance: its calendar, its tables, its model."""

from datetime import timedelta
from pathlib import Path

from finance_assets.calendar import Calendar, Frequency
from finance_assets.step.use_case import UseCase
from finance_assets.steps.declared import table_steps
from finance_assets.steps.model_steps import model_steps
from finance_assets.use_cases.customer_churn.model import model
from finance_assets.use_cases.customer_churn.tables.baskets import BASKETS, TIMEZONE
from finance_assets.use_cases.customer_churn.tables.features import FEATURES
from finance_assets.use_cases.customer_churn.tables.household_months import HOUSEHOLD_MONTHS
from finance_assets.use_cases.customer_churn.tables.households import HOUSEHOLDS
from finance_assets.use_cases.customer_churn.tables.labels import LABELS

NAME = "customer_churn"
OWNER = "customer-analytics@example.com"
SAMPLES = Path(__file__).parent / "samples"

# The public data is the year 2017. A team with live deliveries leaves `last` out.
CALENDAR = Calendar(
    Frequency.monthly,
    first="2017-01",
    last="2017-12",
    timezone=TIMEZONE,
    due_after=timedelta(days=1, hours=6),
    late_after=timedelta(days=2),
    overdue_after=timedelta(days=7),
)

TABLES = (BASKETS, HOUSEHOLDS, HOUSEHOLD_MONTHS, LABELS, FEATURES)
TABLE_STEPS = table_steps(NAME, TABLES, SAMPLES)
MODEL = model(NAME, OWNER)

USE_CASE = UseCase(
    name=NAME,
    title="Customer churn: which households buy nothing in the next four weeks?",
    owner=OWNER,
    calendar=CALENDAR,
    steps=(*TABLE_STEPS, *model_steps(MODEL, CALENDAR, TABLE_STEPS)),
    model=MODEL,
    samples=SAMPLES,
    # As of May the first candidate can be judged; until then there is nothing to decide.
    played_from="2017-05",
)
