"""The pipeline's table steps, as they run anywhere: audited, accounted for, published."""

import time
from collections.abc import Sequence
from pathlib import Path

from finance_assets.compute.runner import run_step
from finance_assets.compute.sessions import open_session
from finance_assets.settings import Engine, Settings
from finance_assets.use_cases.credit_default.use_case import CALENDAR, NAME, TABLE_STEPS

MONTHS = tuple(CALENDAR.partitions())


def settings_of(home: Path, deliveries: Path, engine: Engine = Engine.sail) -> Settings:
    """Settings of a home whose deliveries lie in a folder."""
    landing = home / "landing"
    landing.mkdir(parents=True)
    (landing / NAME).symlink_to(deliveries.resolve())
    settings = Settings(home=home, landing=landing, engine=engine, git_sha="benchmark")
    settings.prepare_home()
    return settings


def run_tables(settings: Settings, months: Sequence[str] = MONTHS) -> dict[str, float]:
    """Every table step of the months, one month after the other; the seconds of each step."""
    spark = open_session(settings)
    seconds = dict.fromkeys((step.key for step in TABLE_STEPS), 0.0)
    for month in months:
        for step in TABLE_STEPS:
            started = time.perf_counter()
            result = run_step(
                step,
                CALENDAR.window(month),
                settings=settings,
                session=lambda: spark,
                run_id="benchmark",
                report=lambda message: None,
            )
            assert result.publication is not None, (step.key, month)
            seconds[step.key] += time.perf_counter() - started
    return seconds
