"""fx_forecast at a glance: its calendar, its tables, its model."""

from datetime import timedelta
from pathlib import Path

from finance_assets.calendar import Calendar, Frequency
from finance_assets.step.use_case import UseCase
from finance_assets.steps.declared import table_steps
from finance_assets.steps.model_steps import model_steps
from finance_assets.use_cases.fx_forecast.model import model
from finance_assets.use_cases.fx_forecast.tables.days import FX_DAYS
from finance_assets.use_cases.fx_forecast.tables.features import FEATURES
from finance_assets.use_cases.fx_forecast.tables.labels import LABELS
from finance_assets.use_cases.fx_forecast.tables.rates import RATES

NAME = "fx_forecast"
OWNER = "treasury@example.com"
SAMPLES = Path(__file__).parent / "samples"

# The running month grows: the bank publishes on each of its business days at 16:00, and the month
# is made again at 18:00. What ships ends with October 2026; with live rates, leave `last` out.
CALENDAR = Calendar(
    Frequency.monthly,
    first="2008-01",
    last="2026-10",
    timezone="Europe/Berlin",
    is_growing=True,
    due_after=timedelta(hours=18),
    # A long weekend: nothing comes for four days.
    late_after=timedelta(days=4),
    overdue_after=timedelta(days=7),
)

TABLES = (RATES, FX_DAYS, FEATURES, LABELS)
TABLE_STEPS = table_steps(NAME, TABLES, SAMPLES)
MODEL = model(NAME, OWNER)

USE_CASE = UseCase(
    name=NAME,
    title="FX forecast: what will a dollar cost in reais, one and five business days from now?",
    owner=OWNER,
    calendar=CALENDAR,
    steps=(*TABLE_STEPS, *model_steps(MODEL, CALENDAR, TABLE_STEPS)),
    model=MODEL,
    samples=SAMPLES,
    # The models learn from ten years and are measured on two: all of that is the past.
    played_from="2026-07",
)
