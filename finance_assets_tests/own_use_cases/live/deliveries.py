"""What the subscription desk delivers of a day: made up, and the same for every test."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from finance_assets_tests.own_use_cases.live.tables import CALENDAR, READERS

HEADER = "reader,region,minutes,logins,tariff,has_cancelled"


@dataclass(frozen=True)
class Day:
    """How a day differs: the shift of minutes and logins in standard deviations, the share of
    readers whose tariff is written as a number that was never used, and how many readers came.
    `is_turned`: after it those cancel who log in often, and not those who do seldom.
    """

    minutes: float = 0.0
    logins: float = 0.0
    new_code: float = 0.0
    readers: int = 1500
    is_turned: bool = False


def deliver(landing: Path, name: str, days: dict[str, Day], day: str) -> Path:
    """Put the file of a day into the landing folder. `days`: those that are not like any other."""
    number = CALENDAR.partitions().index(day)
    minutes, logins, tariff = _drawn(number, days.get(day, Day()))
    before = CALENDAR.shift(day, -1)
    gone = _cancelled(number - 1, days.get(before, Day()))
    rows = [
        f"{i},{'south' if i % 2 else 'north'},{minutes[i]:.4f},{logins[i]:.4f},{tariff[i]},"
        f"{str(bool(gone[i])).lower()}"
        for i in range(days.get(day, Day()).readers)
    ]
    assert READERS.source is not None
    path = READERS.source.path(landing / name, day)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Under another name first: nobody sees half a file.
    part = path.with_suffix(".part")
    part.write_text("\n".join([HEADER, *rows]) + "\n")
    part.replace(path)
    return path


def _drawn(number: int, day: Day) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng([number + 100, 1])
    minutes = random.normal(day.minutes, 1, 1500)
    logins = random.normal(day.logins, 1, 1500)
    tariff = random.choice([1, 2, 3], 1500, p=[0.5, 0.3, 0.2])
    is_new = random.random(1500) < day.new_code
    return minutes, logins, np.where(is_new, 9, tariff)


def _cancelled(number: int, day: Day) -> np.ndarray:
    """Who cancels after a day: those who read little and log in seldom."""
    minutes, logins, tariff = _drawn(number, day)
    loyal = 1.5 * minutes + (-0.6 if day.is_turned else 1.0) * logins
    chance = 1 / (1 + np.exp(0.9 + loyal - 0.5 * (tariff == 3)))
    return np.random.default_rng([number + 100, 2]).random(1500) < chance
