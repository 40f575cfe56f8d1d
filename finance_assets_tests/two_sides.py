"""Two sides: a use case run twice, on two engines or in two places, and compared row by row.

Who runs what where is databricks/parity.py's and engine_parity.py's business.
"""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from rich.console import Console
from rich.table import Table

from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.folder import FolderTable
from finance_assets.model_life.journals import journals_of
from finance_assets.step.use_case import UseCase
from finance_assets_tests.scenario import clean_environment

# Ids, people and clock readings; which version of which table was read is the same, and is compared.
# Versions and fingerprints are each engine's own.
OF_ENGINES = frozenset({"fingerprint", "dataset_version", "data_version"})
OWN = {
    *("run_id", "mlflow_run_id", "gate_report", "decision_id", "recorded_at"),
    *("digest", "previous_digest", "trained_by"),
}


@dataclass(frozen=True)
class Side:
    """One of the two: where its tables and its Dagster instance lie. `prefix`, `suffix`: what is put
    around the names of a catalog's schemas; `skipped`: columns that engines fill each in their own
    way.
    """

    lakehouse: Path
    dagster: Path
    suffix: str = ""
    skipped: frozenset[str] = frozenset()
    prefix: str = ""

    def rows(self, contract: Contract) -> list[str]:
        """The rows of a table without ids and clock readings, in a fixed order."""
        skipped = OWN | self.skipped | {c.name for c in contract.columns if c.is_volatile}
        path = self.lakehouse / f"{self.prefix}{contract.layer}{self.suffix}" / contract.entity
        stored = FolderTable(contract.table, path).rows()
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


def play(
    home: Path, environment: dict[str, str], use_case: UseCase, partitions: int | None
) -> float:
    """`finance-assets run` in a process of its own; how long it took."""
    command = [sys.executable, "-m", "finance_assets.cli.main", "run", "--use-case", use_case.name]
    command += ["--through", use_case.calendar.partitions()[partitions - 1]] if partitions else []
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


def contracts_of(use_case: UseCase) -> list[Contract]:
    """Every table of a use case."""
    return [*(step.contract for step in use_case.steps), *journals_of(use_case)]


def compare(
    console: Console,
    use_case: UseCase,
    here: Side,
    there: Side,
    is_small: bool,
    sides: tuple[str, str] = ("here", "on Databricks"),
) -> bool:
    """Print what is equal and what is not; whether all is. Only few rows may give no model, and
    so empty tables.
    """
    table = Table(title=f"Parity of {use_case.name}", title_justify="left", title_style="bold")
    for name in ("what", *sides, ""):
        table.add_column(name)
    pairs = [(c.table, here.rows(c), there.rows(c)) for c in contracts_of(use_case)]
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
