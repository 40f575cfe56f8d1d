"""Measuring: a command as a process of its own, with its time, its CPU time and its memory."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
LOOK_EVERY = 0.05  # seconds between two looks at the memory
SAID = "benchmark:"  # before the JSON that a command says of itself


@dataclass(frozen=True)
class Measured:
    """One run of a command.

    `seconds` from its start to its end, `cpu_s` of all its processes, `peak_rss_mb` of their tree
    at its largest. `said` are figures that the command took inside, such as `work_s`: without
    imports and the start of an engine.
    """

    seconds: float
    cpu_s: float
    peak_rss_mb: float
    said: dict[str, float] = field(default_factory=dict)

    @property
    def work_s(self) -> float:
        """Seconds of the work itself, where the command says them."""
        return self.said.get("work_s", self.seconds)


def measure(command: Sequence[str], more: Mapping[str, str] | None = None) -> Measured:
    """Run a command in an empty home of its own.

    `more` are variables of its environment, which is otherwise ours without settings of this
    package.

    Raises:
        RuntimeError: it failed; the message ends with what it wrote.
    """
    ours = ("FINANCE_ASSETS_", "DAGSTER_", "SPARK_", "PYSPARK_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as home:
        place = {"FINANCE_ASSETS_HOME": home, "PYTHONPATH": str(ROOT), "RUST_LOG": "error"}
        output = Path(home) / "output.txt"
        with output.open("wb") as stream:
            before, started = os.times(), time.perf_counter()
            process = subprocess.Popen(
                command,
                env={**kept, **place, **(more or {})},
                cwd=home,
                stdout=stream,
                stderr=stream,
            )
            peak = _peak_until_end(process)
            seconds, after = time.perf_counter() - started, os.times()
        text = output.read_text(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{text[-3000:]}")
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    return Measured(round(seconds, 3), round(cpu, 3), round(peak / 1e6, 1), _said(text))


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of this environment."""
    return [sys.executable, "-m", module, *arguments]


def say(**figures: float) -> None:
    """What a measured command says of itself."""
    print(SAID, json.dumps({name: round(value, 4) for name, value in figures.items()}), flush=True)


def interleaved(
    commands: Mapping[str, Sequence[str]], times: int, told: bool = True
) -> dict[str, list[Measured]]:
    """Measure commands in turns, so that what slows the machine for a while slows them all."""
    found: dict[str, list[Measured]] = {name: [] for name in commands}
    for turn in range(times):
        for name, command in commands.items():
            found[name].append(measure(command))
            if told:
                print(f"  {name}, run {turn + 1}: {found[name][-1].seconds:.1f} s", flush=True)
    return found


def median(runs: Sequence[Measured], figure: str = "work_s") -> float:
    """The median of a figure."""
    values = [r.said[figure] if figure in r.said else getattr(r, figure) for r in runs]
    return float(statistics.median(values))


def _peak_until_end(process: "subprocess.Popen[bytes]") -> int:
    """Wait for the end; the largest sum of resident bytes of the process and its children."""
    peak, watched = 0, psutil.Process(process.pid)
    while process.poll() is None:
        try:
            tree = [watched, *watched.children(recursive=True)]
            peak = max(peak, sum(_resident(one) for one in tree))
        except psutil.Error:
            pass
        time.sleep(LOOK_EVERY)
    return peak


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _said(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if line.startswith(SAID)]
    return dict(json.loads(lines[-1].removeprefix(SAID))) if lines else {}
