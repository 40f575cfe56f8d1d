"""Plant each mutant in a copy of the package and run the tests that should notice: `make mutants`.

Ends with 1 if one lives, or names text that is not in its file exactly once. Arguments choose
mutants by a part of their file's name.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from finance_assets_tests.mutants.mutant import ROOT, Mutant
from finance_assets_tests.mutants.planted import MUTANTS

QUICK = ("-x", "-q", "-p", "no:cacheprovider", "-m", "not slow")


def main() -> None:
    """Run the chosen mutants and say which ones lived."""
    chosen = [m for m in MUTANTS if not sys.argv[1:] or any(a in m.file for a in sys.argv[1:])]
    alive = []
    with tempfile.TemporaryDirectory(prefix="mutants_") as folder:
        copy = Path(folder) / "project"
        ignored = shutil.ignore_patterns(".*", "__pycache__", "docs")
        shutil.copytree(ROOT, copy, ignore=ignored)
        for number, mutant in enumerate(chosen, 1):
            verdict = "killed" if is_killed(copy, mutant) else "ALIVE"
            print(f"{number}/{len(chosen)} {verdict}  {mutant.file}: {mutant.after!r}", flush=True)
            if verdict == "ALIVE":
                alive.append(mutant)
    print(f"{len(chosen) - len(alive)} of {len(chosen)} killed")
    sys.exit(1 if alive else 0)


def is_killed(copy: Path, mutant: Mutant) -> bool:
    """Whether the tests fail with the fault in place; the file is restored.

    Raises:
        ValueError: the text is not there exactly once, or the tests could not run.
    """
    path = copy / "finance_assets" / mutant.file
    sound, planted = path.read_text(), mutant.planted(copy)
    path.write_text(planted)
    try:
        tests = [str(copy / "finance_assets_tests" / test) for test in mutant.tests.split()]
        done = subprocess.run(
            # What only a slow test notices, people would plant again before they hear of it.
            [sys.executable, "-m", "pytest", *QUICK, *tests],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
        )
    finally:
        path.write_text(sound)
    # 1: a test failed; 2: the package did not even load; others: nothing was run.
    if done.returncode not in (0, 1, 2):
        raise ValueError(f"the tests of {mutant.file} did not run:\n{done.stdout[-2000:]}")
    return done.returncode != 0


if __name__ == "__main__":
    main()
