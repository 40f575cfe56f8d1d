"""The newspaper at a glance. Its gate is lenient where 1,500 readers say little."""

from dataclasses import replace
from pathlib import Path

from finance_assets.ml.gate import Gate
from finance_assets.ml.tasks.binary import criteria
from finance_assets.step.use_case import UseCase
from finance_assets.steps.declared import table_steps
from finance_assets.steps.model_steps import model_steps
from finance_assets_tests.ml.evidence import EASY_GATE
from finance_assets_tests.own_use_cases.live.tables import (
    CALENDAR,
    FEATURE_NAMES,
    FEATURES,
    LABELS,
    READERS,
)
from finance_assets_tests.small_model import small_model

NAME, SAMPLES = "news", Path(__file__).parent / "samples"
TABLES = (READERS, FEATURES, LABELS)
TABLE_STEPS = table_steps(NAME, TABLES, SAMPLES)
# A holdout has that many readers, or is too small to judge by.
MIN_ROWS = 1460
LENIENT = {
    # A shift moves the scores: that is what a candidate is wanted for.
    "stability": criteria.Stability(max_psi=0.5),
    "enough_rows": criteria.EnoughRows(min_rows=MIN_ROWS, min_positives=100),
}
MODEL = replace(
    small_model(
        NAME,
        features=FEATURES.contract,
        labels=LABELS.contract,
        feature_names=FEATURE_NAMES,
        target="cancels",
        label_lag=1,
        protected=(READERS.contract, "region"),
        lineage=(READERS.contract,),
    ),
    gate=Gate(tuple(LENIENT.get(c.name, c) for c in EASY_GATE.criteria)),
)
USE_CASE = UseCase(
    name=NAME,
    title="Which readers cancel tomorrow?",
    owner="news@example.com",
    calendar=CALENDAR,
    steps=(*TABLE_STEPS, *model_steps(MODEL, CALENDAR, TABLE_STEPS)),
    model=MODEL,
    samples=SAMPLES,
)
