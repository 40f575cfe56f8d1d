"""The entry point of a task: which partition it is for, by name or by when the run is triggered."""

from dataclasses import replace
from importlib.metadata import version

import pytest

from finance_assets.calendar import DUE
from finance_assets.compute import remote
from finance_assets.errors import SettingsError
from finance_assets_tests.scenario import APRIL, CALENDAR, SEPTEMBER, TABLE_STEPS, USE_CASE


def window(first, triggered="{{job.trigger.time.iso_datetime}}", calendar=CALENDAR):
    """What a task of the job is for."""
    line = ["--step", TABLE_STEPS[0].key, "--first", first, "--triggered", triggered]
    found = remote._window(replace(USE_CASE, calendar=calendar), remote._parsed(line))
    return found and str(found)


def test_the_partition_defaults_to_the_one_that_is_due_at_the_trigger():
    assert window(DUE, "2005-08-03T06:00:00.000Z") == "2005-07"
    assert window(DUE, "2005-08-03T05:59:00Z") == "2005-06"
    assert window(DUE, "2006-01-03T06:00:00", replace(CALENDAR, last=None)) == "2005-12"
    assert window(APRIL) == APRIL


@pytest.mark.parametrize("first", ["last", "2005-13", "1999-01", CALENDAR.shift(SEPTEMBER, 1)])
def test_a_partition_that_the_calendar_does_not_have_is_refused_by_name(first):
    with pytest.raises(SettingsError, match=f"'{first}' is no partition of the calendar") as told:
        window(first)
    assert USE_CASE.name in told.value.where


def test_a_run_that_nobody_triggered_has_no_due_partition():
    with pytest.raises(SettingsError, match="'due' is no partition"):
        window(DUE, "")


@pytest.mark.parametrize("triggered", ["2005-01-03T06:00:00Z", "2006-01-03T06:00:00Z"])
def test_a_scheduled_run_outside_the_calendar_ends_without_a_failure(capsys, triggered):
    """Every task of it, the last ones too: nothing was made that they could read."""
    for step in USE_CASE.steps:
        remote.main(["--step", step.key, "--first", DUE, "--triggered", triggered])
        told = capsys.readouterr().out
        assert told == f"{step.key}: skipped: no partition is due at {triggered}\n"


def test_a_task_refuses_to_run_another_wheel_than_the_one_that_was_sent(capsys):
    line = ["--step", TABLE_STEPS[0].key, "--first", DUE, "--triggered", "2006-01-03T06:00:00Z"]
    remote.main([*line, "--wheel", version("finance-assets")])
    assert "skipped" in capsys.readouterr().out
    with pytest.raises(SettingsError, match=r"and 0\.1\.0\+cother was sent"):
        remote.main([*line, "--wheel", "0.1.0+cother"])
