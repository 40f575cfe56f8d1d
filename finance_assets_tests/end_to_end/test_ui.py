"""What `make dev` serves: the code location loads in its own process and answers GraphQL."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.model_life.holdout_looks import looks_contract
from finance_assets.model_life.performance_log import monitoring_contracts
from finance_assets.settings import Settings
from finance_assets.step.use_case import UseCase
from finance_assets.use_cases import all_use_cases
from finance_assets_tests.running import with_mlflow
from finance_assets_tests.scenario import APRIL, NAME, clean_environment, deliver_sample

pytestmark = pytest.mark.slow

QUERY = """{ assetNodes { assetKey { path } groupName kinds owners { ... on UserAssetOwner { email } }
  partitionStats { numMaterialized numPartitions } assetChecksOrError { ... on AssetChecks { checks { name } } } }
  sensorsOrError(repositorySelector: {repositoryName: "__repository__",
    repositoryLocationName: "finance_assets.definitions"}) {
    ... on Sensors { results { name sensorState { status } } } } }"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port: int, query: str) -> dict:
    """POST a query, while the server is still starting again and again."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        data=json.dumps({"query": query}).encode(),
        headers={"Content-Type": "application/json"},
    )
    for _ in range(120):
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)["data"]
        except OSError:
            time.sleep(0.5)
    raise AssertionError("the webserver did not start")


@pytest.fixture
def webserver(tmp_path, mlflow_store):
    """The webserver on a home in which April of 50 accounts was run."""
    landing = tmp_path / "landing"
    landing.mkdir()
    deliver_sample(landing, 50, [APRIL])
    home = tmp_path / "home"
    with_mlflow(Settings(home=home), mlflow_store)
    environment = clean_environment(
        FINANCE_ASSETS_HOME=str(home),
        FINANCE_ASSETS_LANDING=str(landing),
        DAGSTER_HOME=str(home / "dagster"),
    )
    folder = Path(sys.executable).parent
    command = [folder / "finance-assets", "run", "--use-case", NAME, "--through", APRIL]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=300)
    port = free_port()
    server = subprocess.Popen(
        [folder / "dagster-webserver", "-m", "finance_assets.definitions", "-p", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield port
    server.terminate()
    server.wait(30)


def journals(use_case: UseCase) -> set[str]:
    """The tables beside the steps' own that the use case's steps write as well."""
    model = use_case.model
    contracts = [champion_history_contract(use_case.name), looks_contract(model)]
    return {contract.table for contract in (*contracts, *monitoring_contracts(model))}


def test_the_ui_shows_every_asset_with_its_checks_and_what_the_run_materialised(webserver):
    data = ask(webserver, QUERY)
    nodes = {".".join(node["assetKey"]["path"]): node for node in data["assetNodes"]}
    use_cases = all_use_cases()
    for use_case in use_cases.values():
        keys = {step.key for step in use_case.steps} | journals(use_case)
        assert keys <= set(nodes), use_case.name
        for key in keys:
            assert nodes[key]["groupName"] == use_case.name, key
    assert len(nodes) == sum(len(u.steps) + len(journals(u)) for u in use_cases.values())
    use_case = use_cases[NAME]
    for step in use_case.steps:
        node = nodes[step.key]
        assert node["owners"] == [{"email": use_case.owner}]
        checks = {check["name"] for check in node["assetChecksOrError"]["checks"]}
        assert checks == {check.name for check in step.checks}
    for step in use_case.pipeline_steps:
        stats = nodes[step.key]["partitionStats"]
        assert stats == {"numMaterialized": 1, "numPartitions": 6}, step.key
    states = {s["name"]: s["sensorState"]["status"] for s in data["sensorsOrError"]["results"]}
    for kind in ("landing", "retraining", "alert"):
        assert states[f"{NAME}_{kind}_sensor"] == "RUNNING", kind
