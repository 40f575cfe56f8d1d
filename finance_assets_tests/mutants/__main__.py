"""Plant each mutant in a copy of the project and run the tests that should notice: `make mutants`.

Ends with 1 if one lives. Refused are mutants whose text is not in their file exactly once, and
tests that fail without any fault.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from finance_assets_tests.mutants.copies import Copies, Copy
from finance_assets_tests.mutants.mutant import ROOT
from finance_assets_tests.mutants.planted import MUTANTS


def main() -> None:
    """Run the chosen mutants and say which ones lived."""
    parser = argparse.ArgumentParser("mutants", description=__doc__)
    parser.add_argument("parts", nargs="*", help="parts of the files' names; all without one")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="side by side")
    asked = parser.parse_args()
    chosen = [m for m in MUTANTS if not asked.parts or any(p in m.file for p in asked.parts)]
    if not chosen:
        parser.error(f"no fault is planted in a file named like {' or '.join(asked.parts)}")
    groups = dict.fromkeys(mutant.tests for mutant in chosen)
    alive = []
    with tempfile.TemporaryDirectory(prefix="mutants_") as folder:
        copies = Copies.made(ROOT, Path(folder), asked.jobs)
        for number, (tests, _) in enumerate(copies.each(groups, Copy.require_sound), 1):
            print(f"{number}/{len(groups)} sound  {tests}", flush=True)
        for number, (mutant, is_killed) in enumerate(copies.each(chosen, Copy.notices), 1):
            verdict = "killed" if is_killed else "ALIVE"
            print(f"{number}/{len(chosen)} {verdict}  {mutant.file}: {mutant.after!r}", flush=True)
            if not is_killed:
                alive.append(mutant)
    print(f"{len(chosen) - len(alive)} of {len(chosen)} killed")
    sys.exit(1 if alive else 0)


if __name__ == "__main__":
    main()
