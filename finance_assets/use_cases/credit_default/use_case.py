"""credit_default as a whole: calendar, tables and the steps that a model brings."""

from datetime import timedelta
from pathlib import Path

from finance_assets.calendar import Calendar, Frequency
from finance_assets.step.declaration import Input
from finance_assets.step.use_case import UseCase
from finance_assets.steps.ingest import ingest_step
from finance_assets.steps.model_steps import model_steps
from finance_assets.steps.table import Conservation, refine_step, table_step
from finance_assets.use_cases.credit_default import contracts, derived, transforms
from finance_assets.use_cases.credit_default.model import model

NAME = "credit_default"
OWNER = "credit-risk@example.com"
SAMPLES = Path(__file__).parent / "samples"

# The public data ends with September 2005. A team with live deliveries leaves `last` out.
CALENDAR = Calendar(
    Frequency.monthly,
    first="2005-04",
    last="2005-09",
    due_after=timedelta(days=2, hours=6),
    late_after=timedelta(days=4),
    overdue_after=timedelta(days=14),
)

MODEL = model(NAME, OWNER)

TABLE_STEPS = (
    ingest_step(NAME, contracts.DELIVERY, contracts.BRONZE_STATEMENTS, SAMPLES),
    refine_step(NAME, contracts.BRONZE_STATEMENTS, contracts.SILVER_STATEMENTS),
    table_step(
        NAME,
        derived.GOLD_ACCOUNT_MONTHS,
        (Input(contracts.SILVER_STATEMENTS, first_offset=-2),),
        transforms.account_months,
        Conservation(contracts.SILVER_STATEMENTS),
    ),
    table_step(
        NAME,
        derived.GOLD_PORTFOLIO,
        (Input(derived.GOLD_ACCOUNT_MONTHS),),
        transforms.portfolio,
        Conservation(derived.GOLD_ACCOUNT_MONTHS, counted_by="sum(accounts)"),
    ),
    table_step(
        NAME,
        derived.LABELS,
        (
            Input(derived.GOLD_ACCOUNT_MONTHS, first_offset=-1, last_offset=-1),
            Input(contracts.SILVER_STATEMENTS),
        ),
        transforms.labels,
        Conservation(derived.GOLD_ACCOUNT_MONTHS, offset=-1),
    ),
    table_step(
        NAME,
        derived.FEATURES,
        (Input(derived.GOLD_ACCOUNT_MONTHS),),
        transforms.features,
        Conservation(derived.GOLD_ACCOUNT_MONTHS),
    ),
)

USE_CASE = UseCase(
    name=NAME,
    title="Credit default: who will be two or more months late next month?",
    owner=OWNER,
    calendar=CALENDAR,
    steps=(*TABLE_STEPS, *model_steps(MODEL, CALENDAR, TABLE_STEPS)),
    model=MODEL,
    samples=SAMPLES,
)
