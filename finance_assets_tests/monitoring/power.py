"""Power and false alarms: what monitoring notices of simulated drift, over many seeds.

`python -m finance_assets_tests.monitoring.power` prints the tables of docs/monitoring/power.md: one
for each set of limits that a use case declares.
A world of four numbers, three codes and a score is drawn for each seed; the reference from one
draw, the partition from another, so that nothing is the same but the world.
"""

import argparse
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cache

import numpy as np

from finance_assets.ml.estimates import Interval
from finance_assets.ml.tasks.binary import Band, Binary, CostMatrix
from finance_assets.monitoring.drift import DriftLimits, DriftReport, VariableDrift, compare
from finance_assets.monitoring.measurements import Matured, Measurements
from finance_assets.monitoring.reference import (
    Reference,
    build_reference,
)
from finance_assets.monitoring.significance import Figure
from finance_assets.monitoring.simulator import Change, Columns, Injury, injure
from finance_assets.monitoring.triage import Verdict, triage
from finance_assets.use_cases import all_use_cases

LIMITS = DriftLimits()
TASK = Binary(
    costs=CostMatrix(flagged_good=1.0, missed_bad=5.0, unit="call"),
    bands=(Band("low", 0.0), Band("high", 0.2)),
    flagged_band="high",
)
OUTCOME = "outcome"


@dataclass(frozen=True)
class Case:
    """A change, the verdict that it deserves, and in how many rows it is looked for."""

    title: str
    injury: Injury | None
    wanted: Verdict
    rows: int = 5_000
    step: int = 1


CASES = (
    Case("nothing, 1,000 rows", None, Verdict.none, 1_000),
    Case("nothing, 5,000 rows", None, Verdict.none),
    Case("nothing, 30,000 rows", None, Verdict.none, 30_000),
    Case("shift by 0.7 sd, 1,000 rows", Injury("normal", Change.shift, 0.7),
         Verdict.covariate_shift, 1_000),
    Case("shift by 0.6 sd", Injury("normal", Change.shift, 0.6), Verdict.covariate_shift),
    Case("gradual shift to 1 sd, third of four", Injury("normal", Change.shift, 1.0, lasts=4),
         Verdict.covariate_shift, 5_000, 3),
    Case("shrunk to half", Injury("normal", Change.scale, 0.5), Verdict.covariate_shift),
    Case("another unit: times 100", Injury("amount", Change.scale, 100.0), Verdict.data_quality),
    Case("new code in 2 % of rows", Injury("code", Change.new_category, 0.02, code=2.0),
         Verdict.encoding_change),
    Case("new code in 3 %, 1,000 rows", Injury("code", Change.new_category, 0.03, code=2.0),
         Verdict.encoding_change, 1_000),
    Case("8 % missing", Injury("normal", Change.missing, 0.08), Verdict.data_quality),
    Case("10 % missing, 1,000 rows", Injury("normal", Change.missing, 0.1),
         Verdict.data_quality, 1_000),
    Case("15 % of outcomes flipped", Injury(OUTCOME, Change.flip, 0.15),
         Verdict.label_definition_change),
)  # fmt: skip


def declared_limits() -> dict[DriftLimits, list[str]]:
    """The limits that use cases declare, and which ones do; the defaults come first."""
    found: dict[DriftLimits, list[str]] = {LIMITS: []}
    for name, use_case in all_use_cases().items():
        found.setdefault(use_case.model.drift, []).append(name)
    return found


def cases_at(limits: DriftLimits) -> tuple[Case, ...]:
    """The cases for some limits: with nothing in as few rows as they judge, too, and with a shift
    that they should notice.
    """
    judged = tuple(case for case in CASES if case.rows >= limits.min_rows)
    few = Case(f"nothing, {limits.min_rows:,} rows", None, Verdict.none, limits.min_rows)
    titled = {case.title: case for case in (few, *judged, shift_at(limits))}
    return tuple(titled.values())


def shift_at(limits: DriftLimits) -> Case:
    """The shift of a bell curve that these limits notice: its PSI is the square of the shift in
    standard deviations, so one of 1.3 times the root of the limit is well above it.
    """
    size, rows = round(1.3 * math.sqrt(limits.drift_psi), 1), max(1_000, limits.min_rows)
    injury = Injury("normal", Change.shift, size)
    title = f"shift by {size} sd, {rows:,} rows"
    return Case(title, injury, Verdict.covariate_shift, rows)


def world(seed: int, rows: int) -> Columns:
    """Rows of one and the same world; the score is the true probability of the outcome."""
    random = np.random.default_rng(seed)
    normal, code = random.normal(size=rows), random.choice([-1.0, 0.0, 1.0, 3.0], rows)
    logit = -2.6 + 1.2 * normal + 0.5 * code
    score = 1 / (1 + np.exp(-logit))
    return {
        "normal": normal,
        "amount": np.exp(random.normal(8, 1, rows)),
        "skewed": random.gamma(2.0, 1.0, rows),
        "seldom": np.where(random.random(rows) < 0.3, np.nan, random.normal(size=rows)),
        "code": code,
        "count": random.poisson(2.0, rows).clip(0, 6).astype("float64"),
        "flag": (random.random(rows) < 0.2).astype("float64"),
        "score": score,
        OUTCOME: (random.random(rows) < score).astype("float64"),
    }


def report_of(reference: Columns, now: Columns) -> DriftReport:
    """The report of a partition's columns, counted as the step counts them."""
    found = [
        drift_of(build_reference(name, values), now[name])
        for name, values in reference.items()
        if name != OUTCOME
    ]
    return DriftReport(len(now["score"]), tuple(found), LIMITS)


def drift_of(known: Reference, values: np.ndarray) -> VariableDrift:
    """How far a variable moved."""
    counts = build_reference(known.variable, values, known.edges).counts
    return compare(known, counts, breaches(known, values))


def breaches(reference: Reference, values: np.ndarray) -> int:
    """Rows outside the range of training; codes are counted as unseen."""
    if reference.is_coded or reference.low is None or reference.high is None:
        return 0
    return int(((values < reference.low) | (values > reference.high)).sum())


def matured(now: Columns, before: Figure | None) -> Matured:
    """How the partition fared."""
    seen = TASK.observed(now[OUTCOME], now["score"])
    lost = TASK.lost(TASK.expected(now["score"]), seen)
    return Matured("p", figure(seen.get("level")), before, figure(lost))


def figure(found: Interval | None) -> Figure | None:
    """A measured value, as far as monitoring takes it."""
    return found and Figure(found.value, found.low, found.high)


@cache
def references(seed: int) -> dict[str, Reference]:
    """What one world was like at training."""
    columns = world(2 * seed, 20_000)
    return {n: build_reference(n, values) for n, values in columns.items() if n != OUTCOME}


@cache
def unharmed(seed: int, rows: int) -> Measurements:
    """What is measured in one world of which nothing changed."""
    known, now = references(seed), world(2 * seed + 1, rows)
    past = world(10_000_019 + seed, rows)
    before = figure(TASK.observed(past[OUTCOME], past["score"]).get("level"))
    found = tuple(drift_of(reference, now[name]) for name, reference in known.items())
    report = DriftReport(rows, found, LIMITS)
    return Measurements("p", report, "1", "a", matured=matured(now, before))


@cache
def measured(case: Case, seed: int) -> Measurements:
    """What is measured of the case in one world; the limits come in when it is judged.

    A change is of one column: what depends on the others is measured once for all cases.
    """
    calm = unharmed(seed, case.rows)
    if case.injury is None:
        return calm
    column = case.injury.column
    now = injure(world(2 * seed + 1, case.rows), case.injury, seed, case.step)
    found = tuple(
        drift_of(references(seed)[one.variable], now[column]) if one.variable == column else one
        for one in calm.report.variables
    )
    fared = calm.matured
    if column in (OUTCOME, "score"):
        fared = matured(now, calm.matured.before)
    return replace(calm, report=replace(calm.report, variables=found), matured=fared)


def verdict(case: Case, seed: int, limits: DriftLimits = LIMITS) -> Verdict:
    """What triage says of the case in one world, at some limits."""
    found = measured(case, seed)
    return triage(replace(found, report=replace(found.report, limits=limits))).verdict


def rates(
    seeds: int, cases: tuple[Case, ...] = CASES, limits: DriftLimits = LIMITS
) -> Iterator[tuple[Case, float, Counter]]:
    """How often each case gets the verdict it deserves, and what it gets else."""
    for case in cases:
        found = Counter(verdict(case, seed, limits) for seed in range(seeds))
        yield case, found[case.wanted] / seeds, found


def changed(limits: DriftLimits) -> str:
    """The limits that are not the default ones, as they are declared."""
    values = {one.name: getattr(limits, one.name) for one in fields(limits)}
    return ", ".join(f"{n}={v}" for n, v in values.items() if v != getattr(LIMITS, n))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=500)
    seeds = parser.parse_args().seeds
    for limits, names in declared_limits().items():
        print(f"\n## `DriftLimits({changed(limits)})`: {', '.join(names) or 'no use case'}\n")
        show(seeds, limits)


def show(seeds: int, limits: DriftLimits) -> None:
    """Print the table of some limits."""
    print("| what happens | rows | verdict it deserves | how often it gets it | else |")
    print("|---|---|---|---|---|")
    for case, rate, found in rates(seeds, cases_at(limits), limits):
        others = ", ".join(
            f"{v.replace('_', ' ')} {n}" for v, n in found.items() if v != case.wanted
        )
        wanted = case.wanted.replace("_", " ")
        print(f"| {case.title} | {case.rows:,} | {wanted} | {rate:.1%} | {others} |", flush=True)


if __name__ == "__main__":
    main()
