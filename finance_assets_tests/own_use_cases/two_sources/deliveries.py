"""What the three systems deliver for a week: made up, and the same for every test."""

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from finance_assets_tests.own_use_cases.two_sources.calendar import CALENDAR

CUSTOMERS = 1500


def deliver(folder: Path, week: str, is_changed: bool = False) -> None:
    """The files of a week; other ones if it is changed."""
    weeks = CALENDAR.partitions()
    place = weeks.index(week)
    fee, calls, dropped = _values(place, is_changed)
    people = [
        f"{i};{'Süd' if i % 2 else 'Nord'};{'NA' if i % 97 == 0 else f'{fee[i]:.2f}'};"
        f"{'?' if i % 3 else 10}"
        for i in range(CUSTOMERS)
    ]
    rows = ["Kunde;Gebiet;Gebühr;Nachlaß", *people, f"{CUSTOMERS};West;1.00;10"]
    text = ("\n".join(rows) + "\n").encode("latin-1")
    (folder / f"kunden_{week}.csv.gz").write_bytes(gzip.compress(text, mtime=0))
    usage = {
        "DropRate": pa.array(dropped, mask=np.arange(CUSTOMERS) % 89 == 0),
        "SubscriberID": pa.array(np.arange(CUSTOMERS)),
        "nCalls": pa.array(calls.astype("int32")),
    }
    pq.write_table(pa.table(usage), folder / f"cdr-{week}.parquet")
    if place:
        left = _has_left(place - 1, is_changed)
        outcomes = ["customer,Left?", *(f"{i},{'yes' if x else 'no'}" for i, x in enumerate(left))]
        (folder / f"outcomes_{week}.csv").write_text("\n".join(outcomes) + "\n")


def _values(place: int, is_changed: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng([place, 1, is_changed])
    fee = np.exp(random.normal(3, 0.4, CUSTOMERS))
    return fee, random.poisson(30, CUSTOMERS), random.beta(2, 8, CUSTOMERS)


def _has_left(place: int, is_changed: bool) -> np.ndarray:
    """Who leaves after a week: those who pay much for dropped calls."""
    fee, _, dropped = _values(place, False)
    chance = 1 / (1 + np.exp(3.4 - 9 * dropped - 0.9 * (np.log(fee) - 3) / 0.4))
    return np.random.default_rng([place, 2, is_changed]).random(CUSTOMERS) < chance
