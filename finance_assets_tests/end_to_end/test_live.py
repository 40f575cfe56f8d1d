"""`finance-assets dev` alone: deliveries land, and everything that follows happens by itself."""

import json
import os
from pathlib import Path

import pytest

from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.model_life.contracts import drift_contract
from finance_assets.model_life.holdout_looks import looks_contract
from finance_assets.model_life.performance_log import monitoring_contracts
from finance_assets.settings import DAGSTER_YAML
from finance_assets.step.use_case import UseCase
from finance_assets.use_cases import all_use_cases
from finance_assets_tests.asking import asked
from finance_assets_tests.end_to_end.browser import chromium, page
from finance_assets_tests.end_to_end.live import dev, prepare_dagster
from finance_assets_tests.end_to_end.postgres import missing
from finance_assets_tests.own_use_cases.live.deliveries import Day, deliver
from finance_assets_tests.own_use_cases.live.tables import CALENDAR, READERS
from finance_assets_tests.own_use_cases.live.use_case import NAME, USE_CASE
from finance_assets_tests.scenario import clean_environment
from finance_assets_tests.webhook import webhook

pytestmark = pytest.mark.slow

D1, D2, D3, D4, D5, D6, D7, D8 = CALENDAR.partitions()
PIPELINE, RETRAINING = f"{NAME}_pipeline", f"{NAME}_retraining"
# A tariff comes out of nowhere, and the desk corrects that. Readers read more; then they log in more often, too, and one day has
# too few of them to judge a model by.
DAYS = {
    D4: Day(new_code=0.12),
    D5: Day(minutes=0.8),
    D6: Day(minutes=0.8),
    D7: Day(minutes=0.8, logins=0.8, readers=1450),
    D8: Day(minutes=0.8, logins=0.8),
}

# Where to keep what the pages look like. This test makes docs/images anew:
# KEEP_SCREENSHOTS_IN=docs/images make test TESTS=finance_assets_tests/end_to_end/test_live.py
SHOTS = "KEEP_SCREENSHOTS_IN"
LOCATION = "__repository__@finance_assets.definitions"
PAGES = {
    "lineage": f"locations/{LOCATION}/asset-groups/{NAME}/lineage",
    "checks": f"assets/{READERS.table.replace('.', '/')}?view=checks",
    "plots": f"assets/monitoring/{NAME}_drift?view=partitions&partition={D6}",
    "sensors": "automation",
}


class World:
    """A home, its landing folder, and who is told."""

    def __init__(self, root, hook):
        self.landing, self.hook = root / "landing", hook
        self.landing.mkdir()
        self.pages = {}
        prepare_dagster(root / "home", DAGSTER_YAML.read_text())
        self.environment = clean_environment(
            FINANCE_ASSETS_HOME=str(root / "home"),
            FINANCE_ASSETS_LANDING=str(self.landing),
            FINANCE_ASSETS_USE_CASES="finance_assets_tests.own_use_cases.live",
            FINANCE_ASSETS_SENSOR_INTERVAL_SECONDS="1",
            FINANCE_ASSETS_ALERT_URLS=hook.url,
        )

    def land(self, *days):
        for day in days:
            deliver(self.landing, NAME, DAYS, day)

    def land_damaged(self, day):
        """A file whose regions are all unknown."""
        path = deliver(self.landing, NAME, DAYS, day)
        path.write_text(path.read_text().replace("north", "west"))

    def land_corrected(self, day):
        """The file of a day without what was wrong with it."""
        deliver(self.landing, NAME, {}, day)

    def status(self):
        said = asked(self.environment, "status", "--use-case", NAME, "--json")
        return json.loads(said)["use_cases"][NAME]

    def told(self, words):
        return [post for post in self.hook.posted if words in post["title"]]


def keep_shots(url, folder):
    """The pages as a person sees them, but for the plots: none fits a window."""
    for name in ("lineage", "checks", "sensors"):
        page(f"{url}/{PAGES[name]}", folder / f"dagster_{name}.png")


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """All eight days, landed one after the other under the daemon's eyes."""
    root, drifts = tmp_path_factory.mktemp("live"), drift_contract(USE_CASE.model).table
    with webhook() as hook:
        world = World(root, hook)
        with dev(world.environment, root / "dev.log") as live:
            world.sensors = set(live.running_sensors())
            live.only(f"{NAME}_")
            world.land(D1, D2, D3)
            live.until("a first champion", lambda: live.ended(RETRAINING, D3))
            world.land_damaged(D4)
            live.until("the refusal is told", lambda: world.told("too many rows were rejected"))
            world.land(D4)
            live.until("the new code is told", lambda: world.told("encoding change"))
            world.held = world.status()["drift"][D4]
            world.land_corrected(D4)
            live.until("it is corrected", lambda: world.status()["drift"][D4]["action"] == "wait")
            world.land(D5, D6)
            live.until("the shift is answered", lambda: live.ended(RETRAINING, D6))
            world.land(D7, D8)
            live.until("the second shift is answered", lambda: live.ended(RETRAINING, D8))
            live.until("the rejection is told", lambda: world.told("turned down by the gate"))
            live.until("all runs ended", lambda: live.ended(PIPELINE, D8))
            world.verdicts = {day: live.facts(drifts, day) for day in CALENDAR.partitions()}
            world.url, world.state, world.assets = live.url, world.status(), live.assets()
            world.pipeline, world.retraining = live.runs(PIPELINE), live.runs(RETRAINING)
            if chromium():
                world.pages = {name: page(f"{live.url}/{path}") for name, path in PAGES.items()}
                if SHOTS in os.environ:
                    keep_shots(live.url, Path(os.environ[SHOTS]).absolute())
    return world


def test_each_delivery_was_run_once_by_the_sensor_and_corrected_ones_again(played):
    ended = [(day, status) for day, status, _ in played.pipeline]
    assert ended == [
        *((day, "SUCCESS") for day in (D1, D2, D3)),
        (D4, "FAILURE"),
        *((day, "SUCCESS") for day in (D4, D4, D5, D6, D7, D8)),
    ]
    assert {t["dagster/sensor_name"] for _, _, t in played.pipeline} == {f"{NAME}_landing_sensor"}
    assert played.state["partitions"] == CALENDAR.partitions()


def journals(use_case: UseCase) -> set[str]:
    """The tables beside the steps' own that the use case's steps write as well."""
    model = use_case.model
    contracts = [champion_history_contract(use_case.name), looks_contract(model)]
    return {contract.table for contract in (*contracts, *monitoring_contracts(model))}


def test_the_ui_shows_every_asset_with_its_checks_and_what_the_runs_materialised(played):
    nodes, use_cases = played.assets, {**all_use_cases(), NAME: USE_CASE}
    for use_case in use_cases.values():
        keys = {step.key for step in use_case.steps} | journals(use_case)
        assert keys <= set(nodes), use_case.name
        for key in keys:
            assert nodes[key]["groupName"] == use_case.name, key
        for step in use_case.steps:
            node = nodes[step.key]
            assert node["owners"] == [{"email": use_case.owner}]
            checks = {check["name"] for check in node["assetChecksOrError"]["checks"]}
            assert checks == {check.name for check in step.checks}
        kinds = ("landing", "retraining", "alert")
        assert {f"{use_case.name}_{kind}_sensor" for kind in kinds} <= played.sensors
    assert len(nodes) == sum(len(u.steps) + len(journals(u)) for u in use_cases.values())
    for step in USE_CASE.pipeline_steps:
        stats = nodes[step.key]["partitionStats"]
        assert stats == {"numMaterialized": 8, "numPartitions": 8}, step.key


def test_a_shift_led_to_a_candidate_that_the_gate_promoted_and_another_that_it_rejected(played):
    assert [(day, status) for day, status, _ in played.retraining] == [
        (D3, "SUCCESS"),
        (D6, "SUCCESS"),
        (D8, "SUCCESS"),
    ]
    decided = {c["as_of"]: (c["version"], c["decision"]) for c in played.state["candidates"]}
    assert decided == {
        D3: ("1", "promoted"),
        D6: ("2", "promoted"),
        D8: ("3", "turned_down"),
    }
    reasons = [tags["retraining_reason"] for _, _, tags in played.retraining]
    assert reasons[0] == "there is no champion yet"
    assert all(" in 2024-01-0" in reason for reason in reasons[1:])
    assert played.state["champion"]["version"] == "2"


def test_a_refused_delivery_was_told_once_with_links(played):
    [post] = played.told("too many rows were rejected")
    assert post["title"] == f"[{NAME}] {D4}: too many rows were rejected"
    run = next(tags["run_id"] for _, status, tags in played.pipeline if status == "FAILURE")
    assert f"run: {played.url}/runs/{run}" in post["message"]
    assert "docs/runbook/README.md#quarantine-over-its-limit" in post["message"]


def test_a_code_from_nowhere_was_held_and_told_once_and_nothing_was_trained_on_it_alone(played):
    found = played.held
    assert (found["verdict"], found["action"]) == ("encoding_change", "hold")
    assert "tariff" in found["evidence"][0]
    stated = [(one["verdict"], one["action"]) for one in reversed(played.verdicts[D4])]
    assert stated[0] == ("encoding_change", "hold")
    assert stated[-1] == ("none", "wait")
    assert [one[0]["verdict"] for day, one in played.verdicts.items() if day in (D6, D8)] == [
        "covariate_shift",
        "covariate_shift",
    ]
    [post] = played.told("encoding change")
    assert post["title"] == f"[{NAME}] {D4}: encoding change"
    assert "tariff" in post["message"]
    assert D4 not in [day for day, _, _ in played.retraining]


def test_the_rejection_was_told_once_with_what_failed(played):
    [post] = played.told("turned down by the gate")
    assert post["title"] == f"[{NAME}] {D8}: candidate v3 was turned down by the gate"
    assert "enough_rows" in post["message"]
    assert USE_CASE.name in post["message"]


def test_a_browser_shows_lineage_checks_plots_and_the_sensors_with_what_they_say(played):
    if not played.pages:
        missing("Chromium", "chromium")
    # Dagster shortens names that are longer than a box.
    names = [step.key.partition(".")[2] for step in USE_CASE.steps]
    for name in (name for name in names if len(name) <= 16):
        assert name in played.pages["lineage"], name
    for check in USE_CASE.step(READERS.table).checks:
        assert check.name in played.pages["checks"], check.name
    for plot in ("Drift", "Output"):
        assert plot in played.pages["plots"], plot
    for kind in ("landing", "retraining", "alert"):
        assert f"{NAME}_{kind}_sensor" in played.pages["sensors"], kind
