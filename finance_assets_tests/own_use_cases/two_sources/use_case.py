"""two_sources at a glance: its calendar, its tables, its model."""

from pathlib import Path

from finance_assets.step.use_case import UseCase
from finance_assets.steps.declared import table_steps
from finance_assets.steps.model_steps import model_steps
from finance_assets_tests.own_use_cases.two_sources.calendar import CALENDAR
from finance_assets_tests.own_use_cases.two_sources.tables.customer_weeks import CUSTOMER_WEEKS
from finance_assets_tests.own_use_cases.two_sources.tables.customers import CUSTOMERS
from finance_assets_tests.own_use_cases.two_sources.tables.features import (
    FEATURE_NAMES,
    FEATURES,
)
from finance_assets_tests.own_use_cases.two_sources.tables.labels import LABELS
from finance_assets_tests.own_use_cases.two_sources.tables.outcomes import OUTCOMES
from finance_assets_tests.own_use_cases.two_sources.tables.usage import USAGE
from finance_assets_tests.small_model import small_model

NAME, SAMPLES = "phone", Path(__file__).parent / "samples"
TABLES = (CUSTOMERS, USAGE, OUTCOMES, CUSTOMER_WEEKS, FEATURES, LABELS)
TABLE_STEPS = table_steps(NAME, TABLES, SAMPLES)
MODEL = small_model(
    NAME,
    features=FEATURES.contract,
    labels=LABELS.contract,
    feature_names=FEATURE_NAMES,
    target="leaves",
    label_lag=1,
    protected=(CUSTOMER_WEEKS.contract, "region"),
    lineage=tuple(table.contract for table in (CUSTOMERS, USAGE)),
)
USE_CASE = UseCase(
    name=NAME,
    title="Which customers leave next week?",
    owner="phone@example.com",
    calendar=CALENDAR,
    steps=(*TABLE_STEPS, *model_steps(MODEL, CALENDAR, TABLE_STEPS)),
    model=MODEL,
    samples=SAMPLES,
)
