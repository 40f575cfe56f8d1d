"""Parity: the main job through Databricks (the stand-in) and here, compared table by table,
for each use case.

`make run-databricks` runs it: `python -m finance_assets_tests.databricks.parity`. Ends with 1 if
anything differs.
"""

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

import dagster as dg
from rich.console import Console

from finance_assets.step.use_case import UseCase
from finance_assets.use_cases import all_use_cases
from finance_assets_tests.databricks.server import Workspace, workspace
from finance_assets_tests.samples import deliver_first_lines
from finance_assets_tests.two_sides import OF_ENGINES, Side, compare, play

MAX_CALLS, MAX_OVERHEAD_SECONDS = 15, 2.0


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


def options_of(arguments: list[str] | None = None) -> argparse.Namespace:
    """What is to be compared; by default, what the command line says."""
    known = all_use_cases()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--use-case", choices=known, action="append", help="only this one")
    parser.add_argument("--lines", type=int, help="only so many rows of each file (default: all)")
    parser.add_argument("--partitions", type=int, help="only the first so many partitions")
    parser.add_argument("--grouped", action="store_true", help="table steps share one run")
    parser.add_argument("--catalog", action="store_true", help="tables by name, on the JVM")
    return parser.parse_args(arguments)


def main() -> None:
    """Run both sides of each use case, compare, and say what it cost."""
    options, known = options_of(), all_use_cases()
    names = options.use_case or list(known)
    with tempfile.TemporaryDirectory(prefix="finance_assets_") as folder:
        root = Path(folder)
        (root / "workspace").mkdir()
        with workspace(root / "workspace", has_catalog=options.catalog) as served:
            good = [run(options, known[name], root, served, Console(width=140)) for name in names]
    sys.exit(0 if all(good) else 1)


def run(
    options: argparse.Namespace, use_case: UseCase, root: Path, served: Workspace, console: Console
) -> bool:
    """Whether both sides of a use case are equal and the orchestrator's part is small."""
    own = root / use_case.name
    own.mkdir()
    common = {"FINANCE_ASSETS_GIT_SHA": "parity"}
    if options.lines:
        deliver_first_lines(own / "landing", [use_case], options.lines)
        common["FINANCE_ASSETS_LANDING"] = str(own / "landing")
    served.front.requests.clear()
    served.jobs.runs.clear()
    console.print(f"{use_case.name} here …")
    here = play(own / "here", common, use_case, options.partitions)
    console.print(f"  {here:.1f} s\n{use_case.name} on a stand-in for a Databricks workspace …")
    more = {"FINANCE_ASSETS_CATALOG": "spark_catalog"} if options.catalog else {}
    environment = served.environment(
        # Whose requests are counted has to wait like a user; the others need not.
        FINANCE_ASSETS_DATABRICKS_POLL_SECONDS="0.5" if options.catalog else "2.0",
        FINANCE_ASSETS_DATABRICKS_IS_GROUPED=str(options.grouped).lower(),
        **common,
        **more,
    )
    there = play(own / "there", environment, use_case, options.partitions)
    console.print(f"  {there:.1f} s")
    skipped = OF_ENGINES if options.catalog else frozenset()
    ours = Side(own / "here" / "lakehouse", own / "here" / "dagster", "", skipped)
    place, suffix = ("warehouse", ".db") if options.catalog else ("storage", "")
    theirs = Side(served.root / place, own / "there" / "dagster", suffix, skipped)
    is_small = bool(options.lines or options.partitions)
    is_equal = compare(console, use_case, ours, theirs, is_small)
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
