"""The suite: what is measured at which size, in which order, and what it says of the goals."""

import math
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.generator import generate
from benchmarks.measure import Measured, interleaved, measure, median, python
from benchmarks.results import Finding, Results, Runs, now, this_commit, this_machine
from finance_assets.use_cases.credit_default.use_case import NAME, SAMPLES

SHIPPED = 180_000
# What the goals of growth, memory and daily partitions speak of.
SMALL, MIDDLE, LARGEST, DAYS = 1_000_000, 5_000_000, 50_000_000, 1000
WORK, CLI = "benchmarks.work", "finance_assets.cli.main"


@dataclass(frozen=True)
class Plan:
    """How much is measured. `sizes` are compared with what is written by hand, `jvm_sizes` with the
    JVM; `growth` are those from whose first to whose last we are seen to grow. Without `sizes`
    nothing else is measured.
    """

    sizes: tuple[int, ...] = ()
    jvm_sizes: tuple[int, ...] = ()
    growth: tuple[int, ...] = ()
    times: int = 3
    scored: int = 1_000_000
    days: int = DAYS
    long_history: int = 1000
    is_provisional: bool = False


DEFAULT = Plan(sizes=(SMALL,))
# What takes long, and is of interest only where something large was changed.
LARGE = Plan(jvm_sizes=(SHIPPED, MIDDLE), growth=(SMALL, LARGEST))
FULL = Plan(sizes=(SMALL, MIDDLE), jvm_sizes=(SHIPPED, MIDDLE), growth=(SMALL, 20_000_000, LARGEST))
QUICK = Plan(
    sizes=(200_000, SMALL),
    growth=(200_000, SMALL),
    times=1,
    scored=200_000,
    days=50,
    is_provisional=True,
)


@dataclass
class Suite:
    """One run of the suite."""

    plan: Plan
    cache: Path
    runs: list[Runs] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def run(self) -> Results:
        """Measure everything of the plan."""
        machine, taken, commit = this_machine(), now(), this_commit()
        for size in self.plan.sizes:
            self._tables(size)
        for size in self.plan.jvm_sizes:
            self._jvm(size)
        if self.plan.growth:
            self._growth()
        if self.plan.sizes:
            self._scoring()
            self._history()
            self._commands()
            self._daily()
        profiled = self.plan.sizes[0] if self.plan.sizes else 0
        findings = (replace(found, taken=taken, commit=commit) for found in self.findings)
        return Results(
            taken,
            commit,
            machine,
            self.plan.times,
            self.plan.is_provisional,
            self.runs,
            sorted(findings, key=lambda found: found.number),
            self._profile(profiled) if profiled else {},
            profiled,
        )

    def _profile(self, rows: int) -> dict[str, float]:
        """CPU seconds of the parts of the table steps, the dearest first."""
        said = measure(python(WORK, "profile", str(self._deliveries(rows)))).said
        return dict(sorted(said.items(), key=lambda part: -part[1]))

    def _deliveries(self, rows: int) -> Path:
        if rows == SHIPPED:
            return SAMPLES
        folder = self.cache / str(rows)
        return folder if folder.exists() else generate(folder, rows)

    def _commands_of(self, rows: int, *names: str) -> dict[str, list[str]]:
        """The measured commands over deliveries of so many rows."""
        folder = str(self._deliveries(rows))
        return {name: python(WORK, name, folder) for name in names}

    def _measured(self, rows: int, commands: dict[str, list[str]], times: int) -> None:
        print(f"{rows:,}: {', '.join(commands)}", flush=True)
        found = interleaved(commands, times)
        self.runs += [Runs(command, rows, runs) for command, runs in found.items()]

    def _find(
        self,
        number: int,
        what: str,
        value: float,
        goal: str,
        unit: str,
        remark: str = "",
        *,
        is_of_goals_size: bool = True,
    ) -> None:
        bound, is_at_most = float(goal.strip("<>")), goal[0] == "<"
        finding = Finding(number, what, value, bound, is_at_most, unit, remark, is_of_goals_size)
        self.findings.append(finding)

    def _of(self, command: str, rows: int) -> list[Measured]:
        return [m for r in self.runs if (r.command, r.rows) == (command, rows) for m in r.runs]

    def _tables(self, rows: int) -> None:
        """Goals 1 and 3."""
        commands = self._commands_of(rows, "tables", "bare", "polars")
        # Large ones take long, and vary little.
        self._measured(rows, commands, self.plan.times if rows <= SMALL else 1)
        ours = self._of("tables", rows)
        for number, other, words, goal in (
            (1, "bare", "a bare script on the same engine", "<1.15"),
            (3, "polars", "Polars and delta-rs by hand", "<1.3"),
        ):
            theirs = self._of(other, rows)
            cpu = median(ours, "cpu_s") / median(theirs, "cpu_s")
            remark = f"{median(ours):.1f} s against {median(theirs):.1f} s; CPU time {cpu:.2f}×"
            what = f"table steps, {rows:,} rows, against {words}"
            self._find(number, what, median(ours) / median(theirs), goal, "×", remark)

    def _jvm(self, rows: int) -> None:
        """Goal 2, by the time of the whole process: what starts the JVM is part of it."""
        commands = self._commands_of(rows, "tables", "templates")
        self._measured(rows, commands, 1)
        ours, theirs = (median(self._of(name, rows), "seconds") for name in commands)
        goal = ">8" if rows == SHIPPED else ">4"
        remark = f"{ours:.1f} s against {theirs:.1f} s"
        what = f"faster than local PySpark + Delta on the JVM, {rows:,} rows"
        self._find(2, what, theirs / ours, goal, "×", remark)

    def _growth(self) -> None:
        """Goal 4."""
        sizes = self.plan.growth
        for size in sizes:
            if not self._of("tables", size):
                self._measured(size, self._commands_of(size, "tables"), 1)
        first, last = sizes[0], sizes[-1]
        peak = median(self._of("tables", last), "peak_rss_mb") / 1000
        is_large = last >= LARGEST
        what = f"peak memory of the process tree, {last:,} rows"
        self._find(4, what, peak, "<8", "GB", is_of_goals_size=is_large)
        times = median(self._of("tables", last)) / median(self._of("tables", first))
        exponent = math.log(times) / math.log(last / first)
        what = f"growth from {first:,} to {last:,} rows, exponent"
        remark, is_whole = f"{times:.1f} times as long", is_large and first <= SMALL
        self._find(4, what, exponent, "<1.05", "", remark, is_of_goals_size=is_whole)

    def _scoring(self) -> None:
        """Goal 5."""
        rows = self.plan.scored
        runs = interleaved({"scoring": python(WORK, "scoring", str(rows))}, self.plan.times)
        self.runs.append(Runs("scoring", rows, runs["scoring"]))
        ours, library = (median(runs["scoring"], name) for name in ("work_s", "library_s"))
        explained, reasons = (median(runs["scoring"], n) for n in ("explained", "reasons_s"))
        remark = (
            f"{rows / ours:,.0f} rows/s against {rows / library:,.0f}, file to file. Reasons of "
            f"the highest band are extra: {explained:,.0f} rows in {reasons:.2f} s"
        )
        what = f"scoring {rows:,} rows against the library on all cores"
        self._find(5, what, library / ours, ">0.9", "×", remark)

    def _history(self) -> None:
        """Goal 6."""
        sizes = (10, 100, self.plan.long_history)
        commands = {str(size): python(WORK, "partitions", str(size)) for size in sizes}
        # Once: each takes the median of eight, and growing the longest history takes a minute.
        found = interleaved(commands, 1)
        for count, runs in found.items():
            self.runs.append(Runs(f"partitions {count}", 0, runs))
        base = median(found["10"])
        for size in sizes[1:]:
            took = median(found[str(size)])
            remark = f"{took * 1000:.0f} ms against {base * 1000:.0f} ms on 10"
            what = f"one new partition on {size:,} partitions, against 10"
            self._find(6, what, took / base, "<1.1", "×", remark)

    def _commands(self) -> None:
        """Goals 7 and 8."""
        with tempfile.TemporaryDirectory(prefix="benchmark-home-") as home:
            place = {"FINANCE_ASSETS_HOME": home}
            first = measure(python(CLI, "run", "--use-case", NAME), place)
            self.runs.append(Runs("run", SHIPPED, [first]))
            self._find(7, f"`make run`, {NAME}, empty home", first.seconds, "<25", "s")
            command = python(CLI, "status")
            status = [measure(command, place) for _ in range(self.plan.times)]
        self.runs.append(Runs("status", SHIPPED, status))
        loads = interleaved({"load": python("finance_assets.definitions")}, self.plan.times)
        self.runs.append(Runs("load", 0, loads["load"]))
        self._find(8, "load of the code location", median(loads["load"]), "<1.5", "s")
        self._find(8, "`finance-assets status`, all use cases", median(status), "<1", "s")

    def _daily(self) -> None:
        """Goal 9."""
        days = self.plan.days
        run = measure(python(WORK, "daily", str(days)))
        self.runs.append(Runs("daily", days, [run]))
        what = f"{DAYS:,} daily partitions in one run of Dagster, six tables"
        scaled, is_whole = run.work_s * DAYS / days, days >= DAYS
        remark = "" if is_whole else f"{run.work_s:.1f} s for {days}, scaled to {DAYS:,}"
        self._find(9, what, scaled, "<60", "s", remark, is_of_goals_size=is_whole)
