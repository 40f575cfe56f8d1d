"""Shipped deliveries for tests: a few months of them, or some of their days, changed as wanted."""

import csv
import gzip
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from finance_assets.calendar import Calendar
from finance_assets.ml.spec import ModelSpec
from finance_assets.step.use_case import UseCase
from finance_assets.steps.model_steps import model_steps
from finance_assets.use_cases.fx_forecast.tables.rates import RATES
from finance_assets.use_cases.fx_forecast.use_case import (
    CALENDAR,
    MODEL,
    SAMPLES,
    TABLE_STEPS,
    USE_CASE,
)

Day = dict[str, str]


def shipped(month: str) -> list[Day]:
    """The days of a shipped delivery, oldest first."""
    with gzip.open(RATES.full_source.path(SAMPLES, month), "rt") as stream:
        return list(csv.DictReader(stream))


def frame(first: str, last: str) -> pd.DataFrame:
    """Rates of the shipped months by day, read by pandas."""
    months = Calendar(CALENDAR.frequency, first, last).partitions()
    rows = pd.DataFrame([day for month in months for day in shipped(month)])
    rows = rows.set_index(pd.to_datetime(rows.pop("Date")))
    return rows.apply(pd.to_numeric, errors="coerce")


def deliver(folder: Path, month: str, days: list[Day]) -> None:
    """Put a delivery of these days into a folder."""
    text = io.StringIO()
    writer = csv.DictWriter(text, RATES.full_source.header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(days)
    folder.mkdir(parents=True, exist_ok=True)
    path = RATES.full_source.path(folder, month)
    path.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


def small(first: str, last: str, change: Callable[[ModelSpec], ModelSpec] = lambda m: m) -> UseCase:
    """The use case over a few months, which learns from three and is measured on two."""
    calendar = replace(CALENDAR, first=first, last=last)
    model = change(replace(MODEL, min_train_partitions=3, holdout_partitions=2))
    steps = (*TABLE_STEPS, *model_steps(model, calendar, TABLE_STEPS))
    return replace(USE_CASE, calendar=calendar, model=model, steps=steps, played_from=None)
