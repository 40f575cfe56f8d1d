"""Declarative automation, tick after tick: a history is verified once a day, and never twice."""

from datetime import UTC, datetime

import dagster as dg

from finance_assets.automation.conditions import NAME as SENSOR
from finance_assets.definitions import build_defs
from finance_assets.settings import get_settings
from finance_assets_tests.scenario import NAME, USE_CASE


def test_each_day_brings_one_verification_however_often_the_sensor_looks(settings):
    defs, cursor, requested = build_defs(use_cases={NAME: USE_CASE}), None, {}
    with dg.DagsterInstance.ephemeral() as instance:
        for at in (
            *("2024-01-01T10:00", "2024-01-01T23:00"),
            *("2024-01-02T00:01", "2024-01-02T00:02", "2024-01-02T20:00"),
            *("2024-01-03T09:00", "2024-01-05T09:00"),
        ):
            found = dg.evaluate_automation_conditions(
                defs=defs,
                instance=instance,
                evaluation_time=datetime.fromisoformat(at).replace(tzinfo=UTC),
                cursor=cursor,
            )
            cursor = found.cursor
            assert found.total_requested <= 1, "nothing but the check declares a condition"
            requested[at] = found.total_requested
    assert [at for at, count in requested.items() if count] == [
        "2024-01-02T00:01",
        "2024-01-03T09:00",
        "2024-01-05T09:00",
    ]


def test_it_runs_by_itself_only_where_it_is_deployed(settings, monkeypatch):
    def status():
        sensors = build_defs(use_cases={NAME: USE_CASE}).get_repository_def().sensor_defs
        [sensor] = [s for s in sensors if isinstance(s, dg.AutomationConditionSensorDefinition)]
        assert sensor.name == SENSOR, "no other one is left to be switched on"
        return sensor.default_status

    assert status() is dg.DefaultSensorStatus.STOPPED
    monkeypatch.setenv("FINANCE_ASSETS_ENV", "prod")
    get_settings.cache_clear()
    assert status() is dg.DefaultSensorStatus.RUNNING
