"""Files that somebody might have, for tests: a few parcels, whose arrival may be late."""

from pathlib import Path

import numpy as np
import pandas as pd

from finance_assets.scaffold.plan import Plan, PlannedColumn
from finance_assets.scaffold.planning import make_plan
from finance_assets.scaffold.reading import read_files
from finance_assets.scaffold.request import Request

MONTHS = ("2024-01", "2024-02", "2024-03", "2024-04")
EACH = 300
ROWS = EACH * len(MONTHS)


def parcels(months=MONTHS, each: int = EACH) -> pd.DataFrame:
    """Parcels of some months: heavy ones and those of the north are late more often."""
    random = np.random.default_rng(1)
    rows = len(months) * each
    weight = random.gamma(2, 3, rows).round(2)
    region = random.choice(["north", "south", "east"], rows)
    chance = 1 / (1 + np.exp(2.5 - 0.3 * weight - 0.8 * (region == "north")))
    days = random.integers(1, 28, rows)
    return pd.DataFrame(
        {
            "parcel": np.tile(np.arange(1, each + 1), len(months)),
            "sent": [f"{months[i // each]}-{days[i]:02d}" for i in range(rows)],
            "weight": weight,
            "region": region,
            "stops": random.poisson(4, rows),
            "late": np.where(random.random(rows) < chance, "yes", "no"),
        }
    )


def csv_file(folder: Path, frame: pd.DataFrame, name: str = "parcels.csv", **how) -> Path:
    """A frame as CSV."""
    frame.to_csv(folder / name, index=False, **how)
    return folder / name


def request(*files: Path, **changes) -> Request:
    """The request that fits parcels."""
    asked = {"label": "late", "key": ("parcel",), "time": "sent", **changes}
    return Request("parcel_delays", files, **asked)


def planned(*files: Path, **changes) -> Plan:
    """The plan for files of parcels."""
    asked = request(*files, **changes)
    return make_plan(asked, read_files(asked), "somewhere.parcel_delays", ())


def column(plan: Plan, at_source: str) -> PlannedColumn:
    """A column of a plan by its name in the file."""
    return next(one for one in plan.columns if one.at_source == at_source)
