"""Dagster and MLflow on PostgreSQL: two backfills at once, and the daemon killed in between."""

import signal
from collections import Counter

import pytest

from finance_assets.compute.runner import open_lakehouse
from finance_assets.settings import Settings
from finance_assets_tests.end_to_end.live import (
    BIN,
    Live,
    end,
    free_port,
    process,
)
from finance_assets_tests.end_to_end.postgres import postgres
from finance_assets_tests.own_use_cases.live.deliveries import deliver
from finance_assets_tests.own_use_cases.live.tables import CALENDAR
from finance_assets_tests.own_use_cases.live.use_case import NAME, USE_CASE
from finance_assets_tests.scenario import clean_environment

pytestmark = pytest.mark.slow

DAYS = CALENDAR.partitions()
TABLES = [step.key for step in USE_CASE.steps if step.kind.is_table]
MODULE = ["-m", "finance_assets.definitions"]
BACKFILL = """mutation($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
STATUS = """query($id: String!) { partitionBackfillOrError(backfillId: $id) {
  ... on PartitionBackfill { status } } }"""
MATERIALIZED = """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) {
  ... on AssetNode { assetMaterializations { partition runId } } } }"""
YAML = """\
telemetry: {{enabled: false}}
nux: {{enabled: false}}
run_monitoring: {{enabled: true}}
run_retries: {{enabled: true, max_retries: 2, retry_on_asset_or_op_failure: false}}
instance_class: {{module: finance_assets.assets.event_log, class: LocalInstance}}
storage:
  postgres:
    postgres_url: {url}/dagster
"""


def launch(live, tables, days):
    """Start a backfill of tables for some days; its id."""
    params = {
        "assetSelection": [{"path": key.split(".")} for key in tables],
        "partitionNames": days,
    }
    done = live.ask(BACKFILL, params=params)["launchPartitionBackfill"]
    assert "backfillId" in done, done
    return done["backfillId"]


def status(live, backfill):
    return live.ask(STATUS, id=backfill)["partitionBackfillOrError"]["status"]


def await_success(live, backfill):
    live.until("the backfill ends", lambda: status(live, backfill) == "COMPLETED_SUCCESS")


def materialized(live, table):
    """How many runs materialised each day of a table; what a killed run had done already counts
    only where its retry need not do it again.

    A run of several days that finds one as it was before states that one twice, the second time
    with the data version it keeps.
    """
    node = live.ask(MATERIALIZED, key={"path": table.split(".")})["assetNodeOrError"]
    good = live.succeeded()
    made = {(one["partition"], one["runId"]) for one in node["assetMaterializations"]}
    again = {day for day, run in made if run in good}
    return Counter(day for day, run in made if run in good or day not in again)


def test_two_backfills_and_a_killed_daemon_lose_nothing_and_run_nothing_twice(tmp_path):
    landing, home, log = tmp_path / "landing", tmp_path / "home", tmp_path / "log"
    for day in DAYS:
        deliver(landing, NAME, {}, day)
    with postgres("dagster", "mlflow") as url:
        environment = clean_environment(
            FINANCE_ASSETS_HOME=str(home),
            FINANCE_ASSETS_LANDING=str(landing),
            FINANCE_ASSETS_USE_CASES="finance_assets_tests.own_use_cases.live",
            FINANCE_ASSETS_SENSOR_INTERVAL_SECONDS="1",
            FINANCE_ASSETS_MLFLOW_TRACKING_URI=f"{url}/mlflow",
            DAGSTER_HOME=str(home / "dagster"),
        )
        (home / "dagster").mkdir(parents=True)
        (home / "dagster" / "dagster.yaml").write_text(YAML.format(url=url))
        live = Live(free_port(), log)
        webserver = [BIN / "dagster-webserver", *MODULE, "-h", "127.0.0.1", "-p", live.port]
        daemon = [BIN / "dagster-daemon", "run", *MODULE]
        with process(webserver, environment, log, signal.SIGKILL, cwd=tmp_path):
            live.until("the webserver answers", live.sensors)
            live.only(f"{NAME}_retraining")
            # Labels look at the day before, so they come when both halves are in.
            *first_tables, labels = TABLES
            halves = DAYS[:4], DAYS[4:]
            backfills = [launch(live, first_tables, half) for half in halves]
            with process(daemon, environment, log, cwd=tmp_path) as first:
                live.until("runs of both", lambda: live.started() > 1)
                end(first, signal.SIGKILL)
            with process(daemon, environment, log, signal.SIGKILL, cwd=tmp_path):
                for backfill in backfills:
                    await_success(live, backfill)
                await_success(live, launch(live, [labels], DAYS))
                live.until("a champion", lambda: live.ended(f"{NAME}_retraining", DAYS[-1]))
            lakehouse = open_lakehouse(Settings(home=home))
            for table in TABLES:
                assert {table: materialized(live, table)} == {table: Counter(DAYS)}
                written = [
                    day for p in lakehouse.history(table).publications for day in p.partitions
                ]
                assert Counter(written) == Counter(DAYS), table
                assert all(one.is_balanced for one in lakehouse.history(table).ledgers().values())
            assert live.outcomes(f"{NAME}_retraining") == {(DAYS[-1], "SUCCESS"): 1}
