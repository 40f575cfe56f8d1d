"""Results: what was measured, where and when, and how it stands against the goals, as JSON."""

import os
import platform
import statistics
import subprocess
import sys
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
from pydantic import TypeAdapter

from benchmarks.measure import ROOT, Measured

LIBRARIES = ("deltalake", "pysail", "pyspark", "polars", "pyarrow", "xgboost-cpu", "dagster")


@dataclass(frozen=True)
class Machine:
    """What it was measured on. `import_s`: seconds that Dagster's import takes in a process of its
    own, by which machines can be told apart; 0 where that was not measured.
    """

    cores: int
    memory_gb: float
    system: str
    python: str
    libraries: dict[str, str]
    load_before: float
    import_s: float = 0.0


@dataclass(frozen=True)
class Runs:
    """All runs of one command over deliveries of one size."""

    command: str
    rows: int
    runs: list[Measured]


@dataclass(frozen=True)
class Finding:
    """One figure against its goal.

    `goal` is 0 where there is none. `shown` says the figure for people, `remark` what it was taken
    from, or what is left and whose it is. `is_of_goals_size`: measured at the size that the goal
    speaks of, and not at a smaller one, which can neither meet nor miss it. `taken` and `commit`
    say when, and of which code.
    """

    number: int
    what: str
    value: float
    goal: float
    is_at_most: bool
    unit: str
    remark: str = ""
    is_of_goals_size: bool = True
    taken: str = ""
    commit: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the goal is reached."""
        return self.value <= self.goal if self.is_at_most else self.value >= self.goal

    @property
    def verdict(self) -> str:
        """In words."""
        if not self.is_of_goals_size:
            return "not measured at the goal's size"
        if self.is_met:
            return "met"
        return f"missed by {abs(self.value / self.goal - 1) * 100:.0f} %"

    @property
    def wanted(self) -> str:
        """The goal for people."""
        return f"{'≤' if self.is_at_most else '≥'} {self.goal:g} {self.unit}".strip()

    @property
    def found(self) -> str:
        """The figure for people."""
        return f"{self.value:.3g} {self.unit}".strip()


@dataclass(frozen=True)
class Results:
    """A whole suite. `is_provisional`: not on a quiet machine, or with fewer runs than it wants."""

    taken: str
    commit: str
    machine: Machine
    times: int
    is_provisional: bool
    runs: list[Runs] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    profile: dict[str, float] = field(default_factory=dict)
    profile_rows: int = 0

    def runs_of(self, command: str, rows: int | None = None) -> list[Measured]:
        """The runs of a command, at one size or all."""
        wanted = (r for r in self.runs if r.command == command and rows in (None, r.rows))
        return [one for r in wanted for one in r.runs]

    def over(self, earlier: "Results") -> "Results":
        """These results, and of earlier ones of the same machine what was not measured again, or
        more often. Of a provisional suite nothing is kept.
        """
        is_alike = replace(self.machine, load_before=0, import_s=0) == replace(
            earlier.machine, load_before=0, import_s=0
        )
        if not is_alike or self.is_provisional or earlier.is_provisional:
            return self
        numbers = {found.number for found in self.findings}
        often = {(runs.command, runs.rows): len(runs.runs) for runs in earlier.runs}
        mine = [r for r in self.runs if len(r.runs) >= often.get((r.command, r.rows), 0)]
        measured = {(runs.command, runs.rows) for runs in mine}
        findings = [f for f in earlier.findings if f.number not in numbers]
        runs = [r for r in earlier.runs if (r.command, r.rows) not in measured]
        last = self if self.profile else earlier
        return replace(
            last,
            runs=[*runs, *mine],
            findings=sorted([*findings, *self.findings], key=lambda found: found.number),
        )

    def write(self, path: Path) -> None:
        """As JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(TypeAdapter(Results).dump_json(self, indent=1) + b"\n")

    @classmethod
    def read(cls, path: Path) -> "Results":
        """From JSON."""
        return TypeAdapter(Results).validate_json(path.read_bytes())


def this_machine() -> Machine:
    """The machine that this runs on."""
    return Machine(
        cores=os.cpu_count() or 1,
        memory_gb=round(psutil.virtual_memory().total / 1e9, 1),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        libraries={name: version(name) for name in LIBRARIES},
        load_before=round(os.getloadavg()[0], 1),
        import_s=round(statistics.median(_import() for _ in range(5)), 2),
    )


def _import() -> float:
    """Seconds until Dagster is imported; the process that measures it is not counted."""
    program = "import time; t = time.perf_counter(); import dagster; print(time.perf_counter() - t)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def this_commit() -> str:
    """The commit, marked where the checkout differs from it."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=10"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def now() -> str:
    """The time in UTC, to the minute."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
