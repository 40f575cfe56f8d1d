"""Dagster and the bundle follow the calendar: partitions, mappings, schedule, trigger."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
import yaml

from finance_assets.assets.metadata import asset_key
from finance_assets.assets.partitions import partition_mapping, partitions_of
from finance_assets.bundle.render import render_job
from finance_assets.calendar import Calendar, Frequency
from finance_assets.cli.play import Progress, play_partition
from finance_assets.definitions import build_defs
from finance_assets.step.declaration import Input
from finance_assets_tests.shop import EVENTS, EVENTS_CONTRACT, PREDICTIONS, Shop, ShopRunner

DAYS = Calendar(Frequency.daily, "2024-01-01", timezone="Pacific/Auckland")
WEEKS = Calendar(
    Frequency.weekly, "2024-01-01", timezone="Europe/Berlin", due_after=timedelta(days=1, hours=7)
)
MONTHS = Calendar(Frequency.monthly, "2024-01", due_after=timedelta(days=4))
CALENDARS = [DAYS, WEEKS, MONTHS, *(replace(c, is_growing=True) for c in (DAYS, WEEKS, MONTHS))]


def named(calendar):
    return f"{calendar.frequency}{', growing' * calendar.is_growing}"


def upstream(calendar, item, partition):
    """The partitions that Dagster believes are read."""
    definition = partitions_of(calendar)
    mapped = partition_mapping(calendar, item).get_upstream_mapped_partitions_result_for_partitions(
        definition.subset_with_partition_keys([partition]), definition, definition
    )
    return sorted(mapped.partitions_subset.get_partition_keys())


@pytest.mark.parametrize("calendar", CALENDARS, ids=named)
def test_dagster_has_the_partitions_of_the_calendar(calendar):
    for now in ("2024-01-01 00:30", "2024-03-31 23:30", "2024-04-01 00:30", "2025-02-28 11:30"):
        moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
        found = partitions_of(calendar).get_partition_keys(current_time=moment)
        assert list(found) == calendar.partitions(moment)
    ended = replace(calendar, last=calendar.shift(calendar.first, 7))
    assert list(partitions_of(ended).get_partition_keys()) == ended.partitions()


@pytest.mark.parametrize("calendar", CALENDARS, ids=named)
def test_dagster_reads_the_partitions_that_a_step_reads(calendar):
    at = calendar.shift(calendar.first, 5)
    for item in (
        Input(EVENTS_CONTRACT, None, -1),
        Input(EVENTS_CONTRACT, -2),
        Input(EVENTS_CONTRACT),
    ):
        assert upstream(calendar, item, at) == list(item.window(calendar.window(at)))
    assert upstream(calendar, Input(EVENTS_CONTRACT, None, -1), calendar.first) == []


@pytest.mark.parametrize("calendar", CALENDARS, ids=named)
def test_what_is_mapped_does_not_depend_on_how_long_the_calendar_is(calendar):
    """Another `last`, or a day that went by, must not make Dagster believe in other inputs."""
    short, long = (replace(calendar, last=calendar.shift(calendar.first, n)) for n in (3, 12))
    for step, other, endless in zip(
        *(Shop(c, 1).use_case().steps for c in (short, long, calendar)), strict=True
    ):
        for mine, its, open_ in zip(step.inputs, other.inputs, endless.inputs, strict=True):
            found = {str(partition_mapping(calendar, item)) for item in (mine, its, open_)}
            assert len(found) == 1


@pytest.mark.parametrize("calendar", CALENDARS, ids=named)
def test_schedule_and_bundle_ask_for_the_partition_that_is_due(calendar):
    use_case = Shop(calendar, 1).use_case()
    defs = build_defs(use_cases={"shop": use_case})
    schedule = defs.get_schedule_def("shop_pipeline_schedule")
    assert schedule.cron_schedule == calendar.cron
    assert schedule.execution_timezone == calendar.timezone
    partition = calendar.shift(calendar.first, 8)
    context = dg.build_schedule_context(
        scheduled_execution_time=calendar.due_at(partition),
        repository_def=defs.get_repository_def(),
    )
    [request] = schedule.evaluate_tick(context).run_requests
    assert request.partition_key == partition
    job = yaml.safe_load(yaml.safe_dump(render_job(use_case)))
    assert job["schedule"]["quartz_cron_expression"] == calendar.quartz
    assert job["schedule"]["timezone_id"] == calendar.timezone
    assert job["parameters"] == [{"name": "partition", "default": "due"}]


def test_a_growing_partition_is_run_each_day_under_a_key_of_its_own():
    growing = replace(MONTHS, is_growing=True)
    defs = build_defs(use_cases={"shop": Shop(growing, 1).use_case()})
    schedule = defs.get_schedule_def("shop_pipeline_schedule")
    requests = []
    for day in (10, 11):
        context = dg.build_schedule_context(
            scheduled_execution_time=datetime(2024, 5, day, tzinfo=UTC),
            repository_def=defs.get_repository_def(),
        )
        requests += schedule.evaluate_tick(context).run_requests
    assert [request.partition_key for request in requests] == ["2024-05", "2024-05"]
    assert requests[0].run_key != requests[1].run_key


def test_an_open_calendar_lives_on_in_dagster_without_a_commit(settings, spark, instance):
    """Tables, the first champion by the sensor, and predictions, of days that ended by now."""
    newest = DAYS.partitions()[-1]
    days = replace(DAYS, first=DAYS.shift(newest, -3))
    shop = Shop(days, 0)
    runner = ShopRunner(shop, settings, spark)
    use_case, quiet = shop.use_case(), Progress(lambda *_: None, lambda *_: None)
    defs = build_defs(use_cases={"shop": use_case})
    for partition in days.partitions()[:4]:
        shop.deliver(runner.folder(), partition)
        play_partition(defs, instance, use_case, partition, quiet)
    assert set(days.partitions()) >= instance.get_materialized_partitions(asset_key(EVENTS))
    scored = {row["seen"] for row in runner.rows(PREDICTIONS)}
    assert scored == {days.shift(newest, -1), newest}
