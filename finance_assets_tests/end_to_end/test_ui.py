"""What `make dev` serves: the code location loads in its own process and answers GraphQL."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from finance_assets.use_cases import ALL
from finance_assets_tests.scenario import APRIL, clean_environment, deliver_sample

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
def webserver(tmp_path):
    """The webserver on a home in which April of 50 accounts was run."""
    landing = tmp_path / "landing"
    landing.mkdir()
    deliver_sample(landing, 50, [APRIL])
    home = tmp_path / "home"
    environment = clean_environment(
        FINANCE_ASSETS_HOME=str(home),
        FINANCE_ASSETS_LANDING=str(landing),
        DAGSTER_HOME=str(home / "dagster"),
    )
    folder = Path(sys.executable).parent
    command = [folder / "finance-assets", "run", "--through", APRIL]
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


JOURNALS = {
    "models.credit_default_champion_history",
    "monitoring.credit_default_holdout_looks",
}


def test_the_ui_shows_every_asset_with_its_checks_and_what_the_run_materialised(webserver):
    data = ask(webserver, QUERY)
    nodes = {".".join(node["assetKey"]["path"]): node for node in data["assetNodes"]}
    use_case = ALL["credit_default"]
    keys = {step.key for step in use_case.steps}
    assert set(nodes) == {*keys, *JOURNALS}
    for step in use_case.steps:
        node = nodes[step.key]
        assert node["groupName"] == use_case.name
        assert node["owners"] == [{"email": use_case.owner}]
        checks = {check["name"] for check in node["assetChecksOrError"]["checks"]}
        assert checks == {check.name for check in step.checks}
    for step in use_case.pipeline_steps:
        stats = nodes[step.key]["partitionStats"]
        assert stats == {"numMaterialized": 1, "numPartitions": 6}, step.key
    [sensor] = data["sensorsOrError"]["results"]
    assert sensor["sensorState"]["status"] == "RUNNING"
