"""The measured commands: `python -m benchmarks.work <what> …`, each in a home of its own."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import say
from finance_assets.settings import Engine, get_settings


def tables(deliveries: str, engine: str = "sail") -> None:
    """The pipeline's table steps over deliveries."""
    from benchmarks.pipeline import run_tables, settings_of
    from finance_assets.compute.sessions import open_session

    settings = settings_of(get_settings().root, Path(deliveries), Engine(engine))
    open_session(settings).sql("SELECT 1").collect()
    started = time.perf_counter()
    seconds = run_tables(settings)
    say(work_s=time.perf_counter() - started, **seconds)


def profile(deliveries: str) -> None:
    """The same, with what each part of it costs."""
    from benchmarks.pipeline import run_tables, settings_of
    from benchmarks.profiling import Profile

    settings = settings_of(get_settings().root, Path(deliveries))
    with Profile() as found:
        run_tables(settings)
    say(**found.seconds())


def bare(deliveries: str) -> None:
    """The bare script on the embedded engine."""
    from benchmarks.baselines import bare_sail

    _timed(lambda: bare_sail.run(Path(deliveries), _lake()))


def polars(deliveries: str) -> None:
    """Polars and delta-rs by hand."""
    from benchmarks.baselines import by_hand_polars

    _timed(lambda: by_hand_polars.run(Path(deliveries), _lake()))


def templates(deliveries: str) -> None:
    """PySpark and Delta on the JVM."""
    from benchmarks.baselines import templates_jvm

    _timed(lambda: templates_jvm.run(Path(deliveries), _lake()))


def scoring(rows: str) -> None:
    """Our scoring and the library's own, in turns over the same rows."""
    from benchmarks.scoring import compare

    say(**compare(int(rows), get_settings().root))


def daily(days: str) -> None:
    """A daily use case of six tables, all days in one run of Dagster."""
    from benchmarks.daily import backfill

    say(work_s=backfill(int(days)))


def partitions(count: str) -> None:
    """One more partition on a table that has some already."""
    from benchmarks.partitions import measure_size

    say(**measure_size(int(count)))


def _lake() -> Path:
    return get_settings().root / "lake"


def _timed(act: Callable[[], None]) -> None:
    started = time.perf_counter()
    act()
    say(work_s=time.perf_counter() - started)


WORK = (tables, profile, bare, polars, templates, scoring, daily, partitions)

if __name__ == "__main__":
    {function.__name__: function for function in WORK}[sys.argv[1]](*sys.argv[2:])
