"""Parity: the main job through Databricks (the stand-in) and here, compared table by table.

`make run-databricks` runs it: `python -m finance_assets_tests.databricks.parity`. Ends with 1 if
anything differs.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from rich.console import Console
from rich.table import Table

from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.history import TableHistory
from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.model_life.holdout_looks import looks_contract
from finance_assets.use_cases import ALL
from finance_assets_tests.databricks.server import Workspace, workspace
from finance_assets_tests.scenario import clean_environment, deliver_sample

# Ids, people and clock readings; which version of which table was read is the same, and is compared.
# Versions and fingerprints are each engine's own.
OF_ENGINES = frozenset({"fingerprint", "dataset_version", "data_version"})
OWN = {
    *("run_id", "mlflow_run_id", "gate_report", "decision_id", "recorded_at"),
    *("digest", "previous_digest", "trained_by"),
}
MAX_CALLS, MAX_OVERHEAD_SECONDS = 15, 2.0


@dataclass(frozen=True)
class Side:
    """One of the two: where its tables and its Dagster instance lie. `suffix`: what a catalog puts
    behind the names of schemas; `skipped`: columns that engines fill each in their own way.
    """

    lakehouse: Path
    dagster: Path
    suffix: str = ""
    skipped: frozenset[str] = frozenset()

    def rows(self, contract: Contract) -> list[str]:
        """The rows of a table without ids and clock readings, in a fixed order."""
        skipped = OWN | self.skipped | {c.name for c in contract.columns if c.is_volatile}
        path = self.lakehouse / f"{contract.layer}{self.suffix}" / contract.entity
        stored = TableHistory(contract.table, path).rows()
        kept = ({k: v for k, v in sorted(row.items()) if k not in skipped} for row in stored)
        return sorted(json.dumps(row, default=str) for row in kept)

    def checks(self) -> list[tuple[Any, ...]]:
        """Every check evaluation that Dagster holds, in a fixed order."""
        found = []
        with dg.DagsterInstance.from_config(str(self.dagster)) as instance:
            for run in instance.get_runs():
                kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
                for entry in instance.all_logs(run.run_id, of_type=kind):
                    e = entry.dagster_event.asset_check_evaluation_data
                    asset = e.asset_key.to_user_string()
                    found.append((asset, e.partition or "", e.check_name, e.passed, e.description))
        return sorted(found)


def play(home: Path, environment: dict[str, str], through: str | None) -> float:
    """`finance-assets run` in a process of its own; how long it took."""
    command = [sys.executable, "-m", "finance_assets.cli.main", "run"]
    command += ["--through", through] if through else []
    started = time.monotonic()
    done = subprocess.run(
        command,
        env=clean_environment(FINANCE_ASSETS_HOME=str(home), **environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    (home.parent / f"{home.name}.log").write_text(done.stdout)
    if done.returncode:
        raise SystemExit(f"the run failed:\n{done.stdout[-6000:]}")
    return time.monotonic() - started


def compare(console: Console, here: Side, there: Side, is_small: bool) -> bool:
    """Print what is equal and what is not; whether all is. Only few accounts may give no model,
    and so empty tables.
    """
    table = Table(title="Parity", title_justify="left", title_style="bold")
    for name in ("what", "here", "on Databricks", ""):
        table.add_column(name)
    contracts = [step.contract for use_case in ALL.values() for step in use_case.steps]
    contracts += [champion_history_contract(name) for name in ALL]
    contracts += [looks_contract(use_case.model) for use_case in ALL.values()]
    pairs = [(c.table, here.rows(c), there.rows(c)) for c in contracts]
    pairs.append(("asset checks", here.checks(), there.checks()))
    equal = True
    for name, ours, theirs in pairs:
        same = ours == theirs and (bool(ours) or is_small)
        equal = equal and same
        verdict = "[green]equal[/]" if same else "[red]differs[/]"
        table.add_row(name, f"{len(ours):,}", f"{len(theirs):,}", verdict)
        for mine, other in zip(ours, theirs, strict=False):
            if mine != other:
                console.print(f"first difference in {name}:\n  {mine}\n  {other}", markup=False)
                break
    console.print(table)
    return equal


def costs(console: Console, served: Workspace, dagster: Path) -> bool:
    """Print what the orchestrator adds to each run: requests and seconds; whether it is little."""
    runs = list(served.jobs.runs.values())
    steps = _step_seconds(dagster)
    # What the tasks themselves ask (MLflow, and models' files) is not the orchestrator's doing.
    asked = [r for r in served.front.requests if not re.search("/mlflow/|/Models/", r[1])]
    calls = len(asked) / max(len(runs), 1)
    remote = sum((run.ended or 0) - run.started for run in runs)
    added = (sum(steps) - remote) / max(len(runs), 1)
    console.print(
        f"{len(runs)} remote runs for {len(steps)} ops; a step took {sum(steps) / len(steps):.2f} s"
        f", of which {remote / len(runs):.2f} s in its run: the orchestrator adds {added:.2f} s and "
        f"{calls:.1f} requests a run (allowed: {MAX_OVERHEAD_SECONDS} s, {MAX_CALLS})"
    )
    return calls <= MAX_CALLS


def _step_seconds(dagster: Path) -> list[float]:
    with dg.DagsterInstance.from_config(str(dagster)) as instance:
        stats = [s for run in instance.get_runs() for s in instance.get_run_step_stats(run.run_id)]
    return [s.end_time - s.start_time for s in stats if s.end_time and s.start_time]


def main() -> None:
    """Run both sides, compare, and say what it cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, help="only the first accounts (default: all)")
    parser.add_argument("--through", help="last partition")
    parser.add_argument("--grouped", action="store_true", help="table steps share one run")
    parser.add_argument("--catalog", action="store_true", help="tables by name, on the JVM")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="finance_assets_") as folder:
        is_good = run(options, Path(folder), Console(width=140))
    sys.exit(0 if is_good else 1)


def run(options: argparse.Namespace, root: Path, console: Console) -> bool:
    """Whether both sides are equal and the orchestrator's part is small."""
    common = {"FINANCE_ASSETS_GIT_SHA": "parity"}
    if options.accounts:
        (root / "landing").mkdir()
        deliver_sample(root / "landing", options.accounts)
        common["FINANCE_ASSETS_LANDING"] = str(root / "landing")
    (root / "workspace").mkdir()
    console.print("the main job here …")
    here = play(root / "here", common, options.through)
    console.print(f"  {here:.1f} s\nthe main job on a stand-in for a Databricks workspace …")
    more = {"FINANCE_ASSETS_CATALOG": "spark_catalog"} if options.catalog else {}
    with workspace(root / "workspace", has_catalog=options.catalog) as served:
        environment = served.environment(
            FINANCE_ASSETS_DATABRICKS_POLL_SECONDS="2.0",
            FINANCE_ASSETS_DATABRICKS_IS_GROUPED=str(options.grouped).lower(),
            **common,
            **more,
        )
        there = play(root / "there", environment, options.through)
        console.print(f"  {there:.1f} s")
        skipped = OF_ENGINES if options.catalog else frozenset()
        ours = Side(root / "here" / "lakehouse", root / "here" / "dagster", "", skipped)
        place, suffix = ("warehouse", ".db") if options.catalog else ("storage", "")
        theirs = Side(root / "workspace" / place, root / "there" / "dagster", suffix, skipped)
        is_equal = compare(console, ours, theirs, bool(options.accounts))
        is_cheap = costs(console, served, theirs.dagster)
        left = served.settled()
    console.print("[green]full parity[/]" if is_equal else "[red]no parity[/]")
    if left:
        console.print(f"[red]runs go on: {left}[/]")
    # An engine that takes its time is looked at more often.
    return is_equal and not left and (is_cheap or options.catalog)


if __name__ == "__main__":
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
    main()
