"""The monitoring report: plots of a partition, and one HTML page that holds everything.

The page lies in the MLflow run of the champion that is judged. No number is made here.
"""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finance_assets.lakehouse.history import TableHistory
from finance_assets.lakehouse.record import from_rows
from finance_assets.ml import plots
from finance_assets.ml.evaluation import ALL
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.champion_history import ChampionEvent
from finance_assets.model_life.contracts import drift_contract
from finance_assets.model_life.drift_measuring import MeasuredDrift
from finance_assets.model_life.performance_log import (
    ESTIMATED,
    OBSERVED,
    PerformanceRecord,
    QualityRecord,
    performance_contract,
)
from finance_assets.model_life.performance_measuring import MeasuredPerformance
from finance_assets.monitoring.triage import Triage
from finance_assets.step.declaration import StepContext

if TYPE_CHECKING:
    from jinja2 import Template

FOLDER = "monitoring"
SHOWN_PARTITIONS = 24


@dataclass(frozen=True)
class Monitored:
    """A partition as it is shown, and what became known in it."""

    partition: str
    triage: Triage
    drift: MeasuredDrift
    quality: list[QualityRecord]
    performance: MeasuredPerformance

    @property
    def champion(self) -> ChampionEvent | None:
        """Who is judged: the champion that scored the partition, else what matured in it."""
        return self.drift.champion or self.performance.champion


def plots_of(ctx: StepContext, spec: ModelSpec, shown: Monitored) -> dict[str, bytes]:
    """Drift over partitions, the output's distribution, reliability, performance over time."""
    images: dict[str, bytes] = {}
    if shown.champion is None:
        return images
    drift = _drift_table(ctx, spec)
    if drift:
        images["Drift"] = plots.heat_map("PSI by partition", drift, spec.drift.drift_psi)
    if shown.drift.champion is not None:
        images["Output"] = _output(spec, shown)
    outcome, output = shown.performance.outcome, shown.performance.output
    if outcome is not None and output is not None:
        images["Reliability"] = plots.reliability(spec.task.reliability(outcome, output))
    metric = next(iter(spec.task.headline))
    series = series_of(_performance(ctx, spec, metric))
    if series:
        images["Performance"] = plots.over_time(spec.task.headline[metric], series)
    return images


def write_report(
    ctx: StepContext, spec: ModelSpec, shown: Monitored, images: dict[str, bytes]
) -> None:
    """Put the page into the champion's run; without a champion there is none."""
    champion = shown.champion
    if champion is None:
        return
    page = _template().render(
        name=spec.name,
        partition=shown.partition,
        triage=shown.triage,
        variables=shown.drift.report.variables,
        rows=shown.drift.report.rows,
        quality=shown.quality,
        performance=_overall(shown.performance.records),
        images={title: base64.b64encode(png).decode() for title, png in images.items()},
    )
    version = ctx.registry.version(spec.name, champion.model_version)
    ctx.registry.add_files(version, FOLDER, {f"{shown.partition}.html": page.encode()})


def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("finance_assets.model_life"),
        undefined=StrictUndefined,
        autoescape=True,
    )
    return environment.get_template("monitoring_report.html.j2")


def _drift_table(ctx: StepContext, spec: ModelSpec) -> dict[str, dict[str, float]]:
    """PSI by variable and partition, newest partitions."""
    contract = drift_contract(spec)
    history, column = ctx.lakehouse.history(contract.table), contract.partition_column
    where = f"{column} >= '{_first_shown(history)}' ORDER BY {column}"
    found: dict[str, dict[str, float]] = {}
    for row in history.rows(f"{column} AS p, variable, psi", where):
        found.setdefault(str(row["variable"]), {})[str(row["p"])] = float(str(row["psi"]))
    return found


def _first_shown(history: TableHistory) -> str:
    """The oldest of the newest partitions of a table, which are shown."""
    return min(sorted(history.recorded())[-SHOWN_PARTITIONS:], default="")


def _output(spec: ModelSpec, shown: Monitored) -> bytes:
    """What the model says now, beside what it said on its holdout, over the bins of then."""
    watched = spec.task.watched_column
    pairs = zip(shown.drift.references, shown.drift.report.variables, strict=True)
    reference, now = next((r, v) for r, v in pairs if r.variable == watched)
    shares = {
        "at training": [n / max(reference.rows, 1) for n in reference.counts],
        shown.partition: [n / max(shown.drift.report.rows, 1) for n in json.loads(now.counts)],
    }
    return plots.shares(f"{watched}, share of rows by bin", shares)


def _performance(ctx: StepContext, spec: ModelSpec, metric: str) -> list[PerformanceRecord]:
    """A figure of the newest partitions, as it was estimated and observed."""
    contract = performance_contract(spec)
    history = ctx.lakehouse.history(contract.table)
    kinds = f"kind IN ('{ESTIMATED}', '{OBSERVED}')"
    rows = history.rows(
        where=f"segment = '{ALL}' AND metric = '{metric}' AND {kinds} "
        f"AND scored >= '{_first_shown(history)}'"
    )
    return from_rows(PerformanceRecord, rows, contract.table, partition=contract.partition_column)


def _overall(records: Iterable[PerformanceRecord]) -> list[PerformanceRecord]:
    """Those of all rows together, in the order in which they are shown; of one figure the newest
    is last, whichever version of the labels it rests on: labels made anew count theirs anew.
    """
    found = (record for record in records if record.segment == ALL)
    return sorted(found, key=lambda r: (r.scored, r.kind, r.metric, r.recorded_at))


def series_of(
    records: Iterable[PerformanceRecord],
) -> dict[str, dict[str, tuple[float, float, float]]]:
    """A figure with its interval by kind and scored partition; what was recorded last counts."""
    found: dict[str, dict[str, tuple[float, float, float]]] = {}
    for record in _overall(records):
        figure = record.figure
        points = found.setdefault(record.kind, {})
        points[record.scored] = (figure.value, figure.low, figure.high)
    return found
