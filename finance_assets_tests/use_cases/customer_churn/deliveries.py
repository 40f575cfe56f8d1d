"""Deliveries of customer_churn: some households of the shipped ones, with whatever else a test adds."""

import gzip
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd

from finance_assets.lakehouse.sources.source import Source
from finance_assets.use_cases.customer_churn.use_case import BASKETS, HOUSEHOLDS, SAMPLES

TILLS, REGISTER = BASKETS.full_source, HOUSEHOLDS.full_source


@cache
def _read(source: Source, month: str) -> pd.DataFrame:
    return pd.read_csv(source.path(SAMPLES, month), dtype="str", keep_default_na=False)


def shipped(source: Source, month: str, one_in: int = 1) -> pd.DataFrame:
    """The shipped rows of a month, as text: those of one household in so many."""
    rows = _read(source, month)
    return rows[rows["household_id"].astype(int) % one_in == 0]


def write(folder: Path, source: Source, month: str, rows: pd.DataFrame) -> None:
    """Put a delivery into a folder."""
    text = rows.to_csv(index=False, lineterminator="\n")
    source.path(folder, month).write_bytes(gzip.compress(text.encode(), compresslevel=1))


def deliver(
    folder: Path,
    month: str,
    one_in: int = 1,
    change: Callable[[Source, pd.DataFrame], pd.DataFrame] = lambda source, rows: rows,
) -> None:
    """Put both deliveries of a month into a folder, changed as a test wants them."""
    for source in (TILLS, REGISTER):
        write(folder, source, month, change(source, shipped(source, month, one_in)))
