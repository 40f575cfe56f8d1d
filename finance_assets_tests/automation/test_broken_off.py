"""A source that falls silent within a growing partition: it is overdue, and nobody learns a stump."""

import os
from dataclasses import replace
from datetime import UTC, datetime

from finance_assets.automation.alert_facts import alert_facts
from finance_assets.automation.alerts import Cause, alerts_of
from finance_assets.automation.facts import facts_of_events, gather_facts
from finance_assets.calendar import Calendar, Frequency
from finance_assets.commands.status import Status
from finance_assets.compute.runner import open_context, open_lakehouse
from finance_assets.settings import get_settings
from finance_assets_tests.automation.test_retraining_sensor import happened
from finance_assets_tests.shop import FEATURES, LABELS, TABLES, Shop, ShopRunner

MONTHS = Calendar(Frequency.monthly, "2024-01", "2024-04", is_growing=True)
DELIVERIES = "bronze.shop_events_deliveries"
MARCH, APRIL = "2024-03", "2024-04"


class Till(Shop):
    """A shop whose files of March were written on the tenth of it, for the last time."""

    newest = datetime(2024, 3, 10, 6, tzinfo=UTC)

    def deliver(self, folder, partition):
        super().deliver(folder, partition)
        if partition == MARCH:
            [file] = folder.glob(f"*{partition}*")
            os.utime(file, (self.newest.timestamp(), self.newest.timestamp()))


def overdue(instance, use_case):
    lakehouse = open_lakehouse(get_settings())
    alerts = alerts_of(alert_facts(instance, lakehouse, use_case))
    return [alert for alert in alerts if alert.cause is Cause.not_fresh]


def state(runner):
    ctx = open_context(
        runner.settings, lambda: runner.spark, run_id="test", report=lambda message: None
    )
    return Status().run(ctx, runner.use_case)


def test_nobody_is_trained_as_of_a_stump_and_its_source_is_overdue_until_the_rest_comes(
    settings, spark, instance
):
    stopped = ShopRunner(Till(MONTHS, 0), settings, spark)
    stopped.run(TABLES, MONTHS.first, MONTHS.last)
    facts = gather_facts(instance, stopped.use_case)
    assert facts.ready == {"2024-02", APRIL}, "April was loaded at once, years after its end"
    [alert] = overdue(instance, stopped.use_case)
    assert (alert.partition, alert.verdict) == (MARCH, f"the delivery of {DELIVERIES} is overdue")
    assert alert.detail == f"missing, or not all of it came: {MARCH}"
    assert state(stopped).overdue == [MARCH]

    whole = ShopRunner(Shop(MONTHS, 0, changed_from=MARCH), settings, spark)
    whole.run(TABLES, MARCH)
    assert MARCH in gather_facts(instance, whole.use_case).ready
    assert overdue(instance, whole.use_case) == []
    assert state(whole).overdue == []


def test_a_partition_that_does_not_grow_may_be_delivered_before_its_end(settings, spark, instance):
    runner = ShopRunner(Till(replace(MONTHS, is_growing=False), 0), settings, spark)
    runner.run(TABLES, MONTHS.first, MONTHS.last)
    assert MARCH in gather_facts(instance, runner.use_case).ready
    assert overdue(instance, runner.use_case) == []
    assert state(runner).overdue == []


def test_of_tables_that_this_process_cannot_read_the_runs_say_when_deliveries_came(
    settings, spark, instance, monkeypatch
):
    runner = ShopRunner(Till(MONTHS, 0), settings, spark)
    [first, *_] = runner.run(TABLES, MONTHS.first, MONTHS.last)
    # Who copies the same file again has delivered nothing.
    [file] = settings.landing.rglob(f"*{MARCH}*")
    os.utime(file)
    [ingested, *_] = runner.run(slice(0, 1), MONTHS.first, MONTHS.last)
    assert ingested.by_partition[MARCH]["delivered_at"] == first.by_partition[MARCH]["delivered_at"]
    monkeypatch.setenv("FINANCE_ASSETS_COMPUTE", "databricks")
    monkeypatch.setenv("FINANCE_ASSETS_CATALOG", "main")
    get_settings.cache_clear()
    for partition in MONTHS.partitions():
        happened(instance, DELIVERIES, partition)
        happened(instance, FEATURES, partition)
        happened(instance, LABELS, partition)
    assert overdue(instance, runner.use_case) == [], "the first versions said nothing of it"
    for partition, facts in ingested.by_partition.items():
        happened(instance, DELIVERIES, partition, **facts)
    assert MARCH not in facts_of_events(instance, runner.use_case).ready
    assert [alert.partition for alert in overdue(instance, runner.use_case)] == [MARCH]
