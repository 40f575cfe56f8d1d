"""What lands is run by itself, with what follows from it; nothing is run twice."""

import os

import dagster as dg
import pytest

from finance_assets.automation.landing import Files, Landing
from finance_assets.automation.landing_sensor import build_landing_sensor
from finance_assets.automation.work import LastRun, NoWork, Pending, Work, next_work
from finance_assets.definitions import build_defs
from finance_assets.settings import get_settings
from finance_assets_tests.scenario import (
    APRIL,
    MAY,
    NAME,
    PIPELINE,
    USE_CASE,
    Statement,
    deliver,
    delivered,
    delivery_path,
    statements,
)

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def answer(pending, last=None, in_flight=()):
    return next_work(pending, lambda _: last, in_flight)


def test_the_oldest_partition_is_first_and_later_ones_wait_for_its_run():
    pending = [Pending(APRIL, ("landed",), "a"), Pending(MAY, ("landed",), "b")]
    work = answer(pending)
    assert work == Work(APRIL, "a", f"{APRIL}:a:first", "landed")
    assert "waiting for run 12345678" in answer(pending, in_flight=["1234567890"]).reason


def test_what_was_refused_is_tried_once_and_what_comes_after_it_goes_on():
    pending = [Pending(APRIL, ("landed",), "a"), Pending(MAY, ("landed",), "b")]
    failed = LastRun("0" * 32, "a", is_success=False)
    found = next_work(pending, lambda p: failed if p == APRIL else None)
    assert isinstance(found, Work) and found.partition == MAY
    alone = answer(pending[:1], failed)
    assert (
        isinstance(alone, NoWork) and "waits for another delivery, or for a person" in alone.reason
    )
    assert answer([Pending(APRIL, ("corrected",), "c")], failed).cause == "c"


def test_a_killed_run_is_tried_again_but_not_for_ever():
    pending = [Pending(APRIL, ("landed",), "a")]
    keys = {answer(pending, LastRun(str(n), "a", False, killed=n)).key for n in (1, 2)}
    assert len(keys) == 2
    assert isinstance(answer(pending, LastRun("3", "a", False, killed=3)), NoWork)


def test_a_success_that_left_things_as_they_are_is_not_repeated_unless_the_tables_are_gone():
    pending = [Pending(APRIL, ("landed",), "a")]
    assert "left it as it is" in answer(pending, LastRun("1", "a", True, is_stored=True)).reason
    assert isinstance(answer(pending, LastRun("1", "a", True, is_stored=False)), Work)


def test_who_waits_for_something_is_refused_without_a_question_to_dagster():
    waiting = [Pending(p, (), "", f"{p}.csv is still arriving") for p in (APRIL, MAY)]
    asked = []
    found = next_work(waiting, asked.append)
    assert isinstance(found, NoWork) and "still arriving" in found.reason
    assert asked == []


def test_after_a_restart_no_file_that_is_in_is_opened_and_none_asked_about(
    runner, settings, instance, monkeypatch
):
    deliver(settings.landing, APRIL, *statements(APRIL))
    for step in USE_CASE.pipeline_steps:
        runner.run(step.key, APRIL)

    def refuse(*_, **__):
        raise AssertionError("a file is read")

    def first_look():
        return Landing(USE_CASE, runner.lakehouse, settings, Files()).pending()

    monkeypatch.setattr("finance_assets.automation.landing.hashlib.file_digest", refuse)
    assert first_look() == []
    said = build_landing_sensor(USE_CASE)(dg.build_sensor_context(instance=instance))
    assert "everything that was delivered is in" in said.skip_message
    # Another file, or the same one once more, is looked at.
    os.utime(delivery_path(settings.landing, APRIL))
    assert first_look()[0].waits_for == f"{delivered(APRIL)} is still arriving"


class Daemon:
    """Asks the sensor, and runs what it requests, once for each key."""

    def __init__(self, instance, defs):
        self.instance, self.defs = instance, defs
        self.sensor, self.keys = build_landing_sensor(USE_CASE), set()

    def tick(self):
        return self.sensor(dg.build_sensor_context(instance=self.instance))

    def play(self) -> list[str]:
        """Tick until nothing is requested; the partitions that ran, with how it ended."""
        ran, idle = [], 0
        while idle < 2:
            request = self.tick()
            if isinstance(request, dg.SkipReason):
                idle += 1
                continue
            assert request.run_key not in self.keys, "Dagster would not launch it"
            self.keys.add(request.run_key)
            result = self.defs.resolve_job_def(PIPELINE).execute_in_process(
                run_config=QUIET,
                instance=self.instance,
                partition_key=request.partition_key,
                tags=dict(request.tags),
                raise_on_error=False,
            )
            ran.append(f"{request.partition_key} {'ran' if result.success else 'failed'}")
        return ran


@pytest.fixture
def daemon(settings, instance):
    return Daemon(instance, build_defs(use_cases={NAME: USE_CASE}))


@pytest.mark.slow
def test_deliveries_run_in_order_a_correction_brings_what_follows_and_a_lost_lakehouse_all(
    daemon, settings, monkeypatch
):
    landing = settings.landing
    assert "everything that was delivered is in" in daemon.tick().skip_message
    deliver(landing, APRIL, *statements(APRIL))
    deliver(landing, MAY, *statements(MAY, bill_ntd="4000"))
    assert f"{delivered(APRIL)} is still arriving" in daemon.tick().skip_message
    assert daemon.play() == [f"{APRIL} ran", f"{MAY} ran"]

    # The same bytes once more are no news.
    os.utime(delivery_path(landing, APRIL))
    assert daemon.play() == []

    # Features of May look back at April.
    deliver(landing, APRIL, *statements(APRIL, bill_ntd="5000"))
    assert daemon.play() == [f"{APRIL} ran", f"{MAY} ran"]

    # What is refused is not refused again and again, and the tables stay as they were.
    deliver(landing, MAY, Statement(statement_month=MAY, bill_ntd="a lot"))
    assert daemon.play() == [f"{MAY} failed"]
    assert "waits for another delivery" in daemon.tick().skip_message
    deliver(landing, MAY, *statements(MAY, bill_ntd="4000"))
    assert daemon.play() == [f"{MAY} ran"]

    # Dagster's log alone knows of runs that the tables do not have.
    monkeypatch.setenv("FINANCE_ASSETS_STORAGE", str(settings.root / "another_lakehouse"))
    get_settings.cache_clear()
    assert daemon.play() == [f"{APRIL} ran", f"{MAY} ran"]


@pytest.mark.slow
def test_a_month_that_was_refused_as_anothers_is_taken_once_that_one_is_corrected(daemon, settings):
    """Nothing of April looks at May; only the delivery that May holds stands in its way."""
    landing = settings.landing
    for month in (APRIL, MAY):
        deliver(landing, month, *statements(month))
    assert daemon.play() == [f"{APRIL} ran", f"{MAY} failed"]
    deliver(landing, APRIL, *statements(APRIL, bill_ntd="5000"))
    assert daemon.play() == [f"{APRIL} ran", f"{MAY} ran"]
    # May holds what April should have.
    deliver(landing, APRIL, *statements(APRIL, bill_ntd="7000"))
    deliver(landing, MAY, *statements(MAY, bill_ntd="8000"))
    daemon.play()
    deliver(landing, APRIL, *statements(APRIL, bill_ntd="8000"))
    assert daemon.play() == [f"{APRIL} failed"]
    deliver(landing, MAY, *statements(MAY, bill_ntd="9000"))
    assert daemon.play() == [f"{MAY} ran", f"{APRIL} ran", f"{MAY} ran"]
    assert "everything that was delivered is in" in daemon.tick().skip_message


def test_it_runs_by_itself_only_where_there_is_a_landing_folder(settings, monkeypatch):
    assert build_landing_sensor(USE_CASE).default_status is dg.DefaultSensorStatus.RUNNING
    monkeypatch.setattr(
        "finance_assets.automation.landing_sensor.get_settings",
        lambda: settings.model_copy(update={"landing": None}),
    )
    assert build_landing_sensor(USE_CASE).default_status is dg.DefaultSensorStatus.STOPPED
