"""late_delivery at a glance: its calendar, its tables, its model."""

from datetime import timedelta
from pathlib import Path

from finance_assets.calendar import Calendar, Frequency
from finance_assets.step.use_case import UseCase
from finance_assets.steps.declared import table_steps
from finance_assets.steps.model_steps import model_steps
from finance_assets.use_cases.late_delivery.model import model
from finance_assets.use_cases.late_delivery.tables.airports import AIRPORTS
from finance_assets.use_cases.late_delivery.tables.features import FEATURES
from finance_assets.use_cases.late_delivery.tables.flights import FLIGHTS
from finance_assets.use_cases.late_delivery.tables.labels import LABELS
from finance_assets.use_cases.late_delivery.tables.planes import PLANES
from finance_assets.use_cases.late_delivery.tables.punctuality import PUNCTUALITY
from finance_assets.use_cases.late_delivery.tables.weather import WEATHER

NAME = "late_delivery"
OWNER = "logistics@example.com"
SAMPLES = Path(__file__).parent / "samples"

# The public data ends with December 2013. A team with live deliveries leaves `last` out.
CALENDAR = Calendar(
    Frequency.monthly,
    first="2013-01",
    last="2013-12",
    timezone="America/New_York",
    due_after=timedelta(days=2, hours=6),
    late_after=timedelta(days=4),
    overdue_after=timedelta(days=14),
)

TABLES = (FLIGHTS, WEATHER, PLANES, AIRPORTS, PUNCTUALITY, LABELS, FEATURES)
TABLE_STEPS = table_steps(NAME, TABLES, SAMPLES)
MODEL = model(NAME, OWNER)

USE_CASE = UseCase(
    name=NAME,
    title="Late delivery: which flights will arrive more than 15 minutes late?",
    owner=OWNER,
    calendar=CALENDAR,
    steps=(*TABLE_STEPS, *model_steps(MODEL, CALENDAR, TABLE_STEPS)),
    model=MODEL,
    samples=SAMPLES,
)
