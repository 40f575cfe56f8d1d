"""The real thing: `finance-assets dev` in processes of its own, asked through GraphQL."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from finance_assets.assets.metadata import BY_PARTITION

BIN = Path(sys.executable).parent
# Dagster looks into its queue every five seconds unless it is told otherwise.
QUEUE = """\
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
  config: {dequeue_interval_seconds: 1}
"""
# Nothing here decides by time; a machine with other work takes what it needs.
PATIENCE = 600
# How often in a row, every half second, a stopped sensor has to be stopped.
QUIET_LOOKS = 6

RUNS = """{ runsOrError(limit: 200) { ... on Runs { results {
  runId jobName status tags { key value } } } } }"""
SENSORS = """{ sensorsOrError(repositorySelector: {repositoryName: "__repository__",
  repositoryLocationName: "finance_assets.definitions"}) {
  ... on Sensors { results { name id selectorId: id
    sensorState { id selectorId status ticks(limit: 1) { status skipReason error { message } } } } } } }"""
ASSETS = """{ assetNodes { assetKey { path } groupName kinds
  owners { ... on UserAssetOwner { email } } partitionStats { numMaterialized numPartitions }
  assetChecksOrError { ... on AssetChecks { checks { name } } } } }"""
FACTS = """query($path: [String!]!, $partition: String!) {
  assetNodeOrError(assetKey: {path: $path}) { ... on AssetNode {
    assetMaterializations(partitions: [$partition]) { metadataEntries {
      label ... on JsonMetadataEntry { jsonString } } } } } }"""
STOP = """mutation($id: String!) { stopSensor(id: $id) { __typename } }"""
# Of our jobs; what other asset jobs there are has names with underscores in front.
UNFINISHED = {"QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING"}


def prepare_dagster(home: Path, config: str) -> None:
    """Give a home that nobody used yet its dagster.yaml, with a queue that does not wait."""
    file = home / "dagster" / "dagster.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(config + QUEUE)


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Live:
    """A running instance. `log` is what its processes wrote."""

    def __init__(self, port: int, log: Path) -> None:
        self.port, self.log = port, log
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data that a query gives.

        Raises:
            OSError: nobody answers (yet).
        """
        request = urllib.request.Request(
            f"{self.url}/graphql",
            data=json.dumps({"query": query, "variables": variables}).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise OSError(f"{error}: {error.read().decode()[:2000]}") from error

    def until(self, what: str, holds: Callable[[], Any]) -> Any:
        """Wait until something holds; what it gave."""
        deadline, said = time.monotonic() + PATIENCE, ""
        while time.monotonic() < deadline:
            try:
                found = holds()
            except OSError as error:
                found, said = None, str(error)
            if found:
                return found
            time.sleep(0.5)
        raise AssertionError(f"in vain: {what} {said}\n{self.tail()}")

    def tail(self) -> str:
        """The end of what was logged, and what the sensors say."""
        said = [(name, ticks) for name, _, ticks in self.sensors()]
        return "\n".join([*self.log.read_text().splitlines()[-60:], *map(str, said)])

    def assets(self) -> dict[str, dict[str, Any]]:
        """What the UI shows of each asset, by its key."""
        found = self.ask(ASSETS)["assetNodes"]
        return {".".join(node["assetKey"]["path"]): node for node in found}

    def facts(self, key: str, partition: str) -> list[dict[str, Any]]:
        """What each materialisation of a partition states of it, the newest first."""
        node = self.ask(FACTS, path=key.split("."), partition=partition)["assetNodeOrError"]
        return [
            json.loads(entry["jsonString"])[partition]
            for one in node["assetMaterializations"]
            for entry in one["metadataEntries"]
            if entry["label"] == BY_PARTITION
        ]

    def sensors(self) -> list[tuple[str, str, Any]]:
        """Name and id of each sensor, and its newest tick."""
        found = self.ask(SENSORS)["sensorsOrError"]["results"]
        return [(s["name"], s["sensorState"]["id"], s["sensorState"]["ticks"]) for s in found]

    def running_sensors(self) -> dict[str, str]:
        """Id of each sensor that runs, by its name."""
        found = self.ask(SENSORS)["sensorsOrError"]["results"]
        states = {s["name"]: s["sensorState"] for s in found}
        return {name: state["id"] for name, state in states.items() if state["status"] == "RUNNING"}

    def only(self, *names: str) -> None:
        """Stop all sensors but those whose names begin so: this machine has other work.

        Until they stay stopped: a tick that ends after its sensor was stopped starts it again.
        """
        quiet = 0

        def are_alone() -> bool:
            nonlocal quiet
            others = [i for name, i in self.running_sensors().items() if not name.startswith(names)]
            for identity in others:
                self.ask(STOP, id=identity)
            quiet = 0 if others else quiet + 1
            return quiet == QUIET_LOOKS

        self.until("the other sensors stop", are_alone)

    def runs(self, job: str) -> list[tuple[str, str, dict[str, str]]]:
        """Partition, status and tags of each run of a job, oldest first."""
        found = self.ask(RUNS)["runsOrError"]["results"]
        tagged = [(run, {t["key"]: t["value"] for t in run["tags"]}) for run in reversed(found)]
        return [
            (tags.get("dagster/partition", ""), run["status"], {**tags, "run_id": run["runId"]})
            for run, tags in tagged
            if run["jobName"] == job
        ]

    def succeeded(self) -> set[str]:
        """Ids of the runs that ended well."""
        found = self.ask(RUNS)["runsOrError"]["results"]
        return {run["runId"] for run in found if run["status"] == "SUCCESS"}

    def started(self) -> int:
        """How many runs work now."""
        found = self.ask(RUNS)["runsOrError"]["results"]
        return sum(run["status"] == "STARTED" for run in found)

    def ended(self, job: str, *partitions: str) -> bool:
        """Whether each of the partitions has a run of the job, and all of them have ended."""
        runs = self.runs(job)
        ended = {partition for partition, status, _ in runs if status not in UNFINISHED}
        return set(partitions) <= ended and not any(s in UNFINISHED for _, s, _ in runs)

    def outcomes(self, job: str) -> Counter[tuple[str, str]]:
        """How often each partition of a job ended how."""
        return Counter((partition, status) for partition, status, _ in self.runs(job))


@contextmanager
def process(
    command: list[Any],
    environment: dict[str, str],
    log: Path,
    how: int = signal.SIGTERM,
    **more: Any,
) -> Iterator[Any]:
    """A program with all its children; ended with the block. `how`: Dagster's are killed, for
    they take half a minute to say goodbye to one another.
    """
    with log.open("a") as stream:
        started = subprocess.Popen(
            [str(part) for part in command],
            env=environment,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **more,
        )
    try:
        yield started
    finally:
        end(started, how)


def end(started: Any, how: int = signal.SIGTERM) -> None:
    """End a program with all its children: asked first, unless it is to be killed."""
    for number in dict.fromkeys((how, signal.SIGKILL)):
        try:
            os.killpg(started.pid, number)
            started.wait(30)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    started.wait()


@contextmanager
def dev(environment: dict[str, str], log: Path) -> Iterator[Live]:
    """`finance-assets dev` on a free port, once it answers."""
    live = Live(free_port(), log)
    command = [BIN / "finance-assets", "dev", "--port", live.port]
    with process(command, environment, log, signal.SIGKILL):
        live.until("the webserver answers", live.sensors)
        yield live
