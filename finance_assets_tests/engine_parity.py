"""Engine parity: every use case on the embedded engine and on Spark's JVM with Delta, compared
table by table, check by check.

`make run-jvm` runs it: `python -m finance_assets_tests.engine_parity`. Ends with 1 if anything
differs. Needs Java 17 or newer.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from finance_assets.step.use_case import UseCase
from finance_assets.use_cases import all_use_cases
from finance_assets_tests.samples import deliver_first_lines
from finance_assets_tests.two_sides import OF_ENGINES, Side, compare, play


def main() -> None:
    """Run each use case on both engines and compare."""
    known = all_use_cases()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--use-case", choices=known, action="append", help="only this one")
    parser.add_argument("--lines", type=int, help="only so many rows of each file (default: all)")
    parser.add_argument("--partitions", type=int, help="only the first so many partitions")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="finance_assets_") as folder:
        good = [run(options, known[name], Path(folder)) for name in options.use_case or known]
    sys.exit(0 if all(good) else 1)


def run(options: argparse.Namespace, use_case: UseCase, root: Path) -> bool:
    """Whether both engines make the same of a use case."""
    console, sides = Console(width=140), []
    common = {"FINANCE_ASSETS_GIT_SHA": "parity"}
    if options.lines:
        deliver_first_lines(root / use_case.name / "landing", [use_case], options.lines)
        common["FINANCE_ASSETS_LANDING"] = str(root / use_case.name / "landing")
    for engine in ("sail", "spark"):
        home = root / use_case.name / engine
        home.mkdir(parents=True)
        environment = common | {"FINANCE_ASSETS_ENGINE": engine}
        seconds = play(home, environment, use_case, options.partitions)
        console.print(f"{use_case.name}, engine={engine}: {seconds:.1f} s")
        sides.append(Side(home / "lakehouse", home / "dagster", skipped=OF_ENGINES))
    is_small = bool(options.lines or options.partitions)
    is_equal = compare(console, use_case, *sides, is_small, ("embedded engine", "JVM"))
    console.print("[green]full parity[/]" if is_equal else "[red]no parity[/]")
    return is_equal


if __name__ == "__main__":
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
    main()
