"""credit_default as a whole: calendar, steps, model. The one place to change its bounds."""

from pathlib import Path

from finance_assets.lakehouse.windows import Calendar
from finance_assets.ml.spec import Band, GateLimits, ModelSpec
from finance_assets.monitoring.drift import DriftLimits
from finance_assets.steps.step import Input
from finance_assets.steps.table import Conservation, ingest_step, refine_step, table_step
from finance_assets.steps.use_case import UseCase, model_steps
from finance_assets.use_cases.credit_default import contracts, derived, transforms

NAME = "credit_default"
OWNER = "credit-risk@example.com"
SAMPLES = Path(__file__).parent / "samples"

# The public data ends with September 2005. A team with live deliveries moves `last` on.
CALENDAR = Calendar(first="2005-04", last="2005-09")

MODEL = ModelSpec(
    name=NAME,
    owner=OWNER,
    purpose="Rank and price the risk that a card account is two or more months late next month.",
    features=derived.FEATURES,
    labels=derived.LABELS,
    feature_names=derived.FEATURE_NAMES,
    target="is_default",
    gate=GateLimits(min_auc=0.75, max_calibration_error=0.03),
    bands=(Band("low", 0.0), Band("medium", 0.1), Band("high", 0.4)),
    drift=DriftLimits(),
    params={
        "learning_rate": 0.05,
        "num_leaves": 15,
        "min_data_in_leaf": 100,
        "feature_fraction": 0.8,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 1.0,
    },
    rounds=150,
)

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
    steps=(*TABLE_STEPS, *model_steps(MODEL, CALENDAR)),
    model=MODEL,
    samples=SAMPLES,
)
