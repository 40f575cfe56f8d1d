"""Old versions can be read for as long as the log is kept: seven days are Delta's default."""

import os
from pathlib import Path

import pytest

from finance_assets.lakehouse import store
from finance_assets.lakehouse.store import RETENTION
from finance_assets_tests.model_life.models import PREDICTIONS, run_model_steps
from finance_assets_tests.model_life.test_model_life import EASY
from finance_assets_tests.scenario import (
    APRIL,
    JUNE,
    MAY,
    SEPTEMBER,
    TABLE_STEPS,
    USE_CASE,
    deliver_sample,
)

DAYS = 24 * 3600
# On the JVM, whose Delta refuses as Databricks does: the tables by name, as a catalog's.
ASK = """
from finance_assets.compute.sessions import open_session
from finance_assets.settings import get_settings
from finance_assets.lakehouse.archive import DeliveryArchive
from finance_assets.model_life.reproduce import reproduce
from finance_assets.model_life.trace import trace
from finance_assets_tests.scenario import CALENDAR, Runner, SEPTEMBER, USE_CASE
from finance_assets_tests.model_life.models import NAME, context
from finance_assets_tests.model_life.test_model_life import EASY

settings = get_settings()
spark = open_session(settings)
for folder in sorted(settings.lakehouse_root.glob("*/*")):
    if (folder / "_delta_log").is_dir():
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {folder.parent.name}")
        spark.sql(f"CREATE TABLE {folder.parent.name}.{folder.name} USING delta LOCATION '{folder}'")
runner = Runner(settings, spark)
ctx = context(runner)
result = reproduce(ctx, EASY, CALENDAR, ctx.registry.version(NAME, "1"))
print("REPRODUCED", result.is_reproduced, result.obstacles)
archive = DeliveryArchive(settings.archive_root)
found = trace(runner.lakehouse, archive, USE_CASE, ["account_id=5"], SEPTEMBER)
print("TRACED", sum(len(t.delivered) for t in found.tables if t.is_delivery))

# A table of before, whose owner has not published since.
contract = USE_CASE.steps[1].contract
name = runner.lakehouse.table(contract.table).place
spark.sql(f"ALTER TABLE {name} UNSET TBLPROPERTIES ('delta.deletedFileRetentionDuration')")
try:
    runner.lakehouse.read(contract, version=1).count()
    print("READ")
except Exception as error:
    print("REFUSED", "DELETED_FILE_RETENTION" in str(error))
runner.lakehouse.ensure(contract)
print("MENDED", runner.lakehouse.read(contract, version=1).count())
"""


@pytest.fixture
def restated(runner, settings, homes):
    """A champion, its predictions, and deliveries that came anew since."""
    homes.tables(runner, 2000, SEPTEMBER)
    run_model_steps(runner, JUNE, EASY)
    runner.run(PREDICTIONS, SEPTEMBER)
    deliver_sample(settings.landing, 1500, [APRIL, SEPTEMBER])
    runner.run_tables(APRIL, SEPTEMBER)
    return runner


def aged(lakehouse: Path, days: int) -> None:
    """Make every commit so many days older."""
    for file in lakehouse.rglob("_delta_log/*.json"):
        then = file.stat().st_mtime - days * DAYS
        os.utime(file, (then, then))


@pytest.mark.slow
@pytest.mark.jvm
def test_versions_of_forty_days_ago_are_reproduced_and_traced_on_the_jvm(restated, settings, jvm):
    aged(settings.lakehouse_root, 40)
    done = jvm.run(ASK, settings.root, settings.landing, FINANCE_ASSETS_CATALOG="spark_catalog")
    said = [line for line in done.splitlines() if line.split()[0].isupper()]
    assert said == ["REPRODUCED True ()", "TRACED 3", "REFUSED True", "MENDED 12000"]


def configuration(runner, key):
    return runner.lakehouse.history(key).configuration


def test_a_table_is_made_to_keep_its_versions_as_long_as_its_log(runner, settings):
    deliver_sample(settings.landing, 20)
    runner.run_tables(APRIL)
    for step in TABLE_STEPS:
        assert RETENTION.items() <= configuration(runner, step.key).items()


def test_a_table_of_before_gets_it_with_its_next_publication(runner, settings, monkeypatch):
    deliver_sample(settings.landing, 20)
    before = {"delta.logRetentionDuration": "interval 36500 days"}
    monkeypatch.setattr(store, "RETENTION", before)
    runner.run_tables(APRIL)
    monkeypatch.undo()
    silver = USE_CASE.steps[1].key
    assert "delta.deletedFileRetentionDuration" not in configuration(runner, silver)
    version = runner.lakehouse.history(silver).version
    runner.run_tables(MAY)
    assert RETENTION.items() <= configuration(runner, silver).items()
    runner.run_tables(MAY)
    assert runner.lakehouse.history(silver).version <= version + 3, "altered once"
