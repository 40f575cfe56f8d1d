"""Small deliveries: some of the shipped flights, with all the weather and both lists."""

import csv
import io
import zlib
from dataclasses import replace
from functools import cache
from pathlib import Path

from finance_assets.lakehouse.sources.unpacking import compression_of, unpacked
from finance_assets.ml.gate import Gate
from finance_assets.ml.tasks.binary import criteria
from finance_assets.step.use_case import UseCase
from finance_assets.steps.declared import Declared, table_steps
from finance_assets.steps.entity import Entity
from finance_assets.steps.model_steps import model_steps
from finance_assets.use_cases.late_delivery.prepare_deliveries import Rows, write_delivery
from finance_assets.use_cases.late_delivery.tables.airports import AIRPORTS
from finance_assets.use_cases.late_delivery.tables.flights import FLIGHTS
from finance_assets.use_cases.late_delivery.tables.planes import PLANES
from finance_assets.use_cases.late_delivery.tables.weather import WEATHER
from finance_assets.use_cases.late_delivery.use_case import (
    CALENDAR,
    MODEL,
    NAME,
    SAMPLES,
    TABLES,
    USE_CASE,
)

MONTHS = CALENDAR.partitions()
# Bounds that a few thousand flights can keep; which criteria there are is the use case's.
EASY_GATE = Gate(
    tuple(
        {
            "discrimination": criteria.Discrimination(min_auc=0.55),
            "beats_baselines": criteria.BeatsBaselines(min_gain=-0.05, cost_margin=0.1),
            "business_cost": criteria.BusinessCost(tolerance=0.1),
            "calibration": criteria.Calibration(0.1, 0.5, 2.0, 1.0),
            "stability": criteria.Stability(max_psi=0.5),
            "leakage": criteria.Leakage(
                max_auc=0.85, max_over_naive=0.1, max_unique=0.05, max_repetition=0.2
            ),
        }.get(criterion.name, criterion)
        for criterion in MODEL.gate.criteria
    )
)


@cache
def shipped(entity: Entity, month: str) -> tuple[dict[str, str], ...]:
    """The rows of a shipped delivery; none if the month has none."""
    path = entity.full_source.path(SAMPLES, month)
    if not path.exists():
        return ()
    content = b"".join(unpacked(path, compression_of(path.name)))
    return tuple(csv.DictReader(io.StringIO(content.decode())))


def some_flights(month: str, one_of: int) -> Rows:
    """The flights of one of so many planes, so that planes keep their past."""
    return [dict(row) for row in shipped(FLIGHTS, month) if _number(row) % one_of == 0]


def _number(row: dict[str, str]) -> int:
    plane = row["tailnum"] if row["tailnum"] != "NA" else f"{row['day']} {row['flight']}"
    return zlib.crc32(plane.encode())


def deliver(folder: Path, month: str, flights: Rows, weather: Rows | None = None) -> None:
    """The files of a month: these flights, with the shipped weather and lists."""
    folder.mkdir(parents=True, exist_ok=True)
    write_delivery(FLIGHTS, flights, month, folder)
    write_delivery(WEATHER, weather or [*shipped(WEATHER, month)], month, folder)
    for register in (PLANES, AIRPORTS):
        if shipped(register, month):
            write_delivery(register, [*shipped(register, month)], month, folder)


def made_of(*changed: Declared, gate: Gate = EASY_GATE, last: str = MONTHS[-1]) -> UseCase:
    """The use case with another gate, some of its tables otherwise, and an earlier end.

    The model sees every column of the features.

    Raises:
        ModelError: a feature knows the outcome.
    """
    by_table = {table.contract.table: table for table in changed}
    tables = [by_table.get(table.contract.table, table) for table in TABLES]
    calendar, steps = replace(CALENDAR, last=last), table_steps(NAME, tables, SAMPLES)
    labels, features = (table.contract for table in tables[-2:])
    names = tuple(name for name in features.column_names if name not in features.key)
    added, params, task = set(names) - set(MODEL.feature_names), {**MODEL.params}, MODEL.task
    if added:
        # Directions are declared feature by feature.
        del params["monotone_constraints"]
        words = {**task.reasons.words, **{name: name for name in added}}
        task = replace(task, reasons=replace(task.reasons, words=words))
    model = replace(
        MODEL,
        gate=gate,
        features=features,
        labels=labels,
        feature_names=names,
        task=task,
        params=params,
    )
    return replace(
        USE_CASE,
        calendar=calendar,
        model=model,
        steps=(*steps, *model_steps(model, calendar, steps)),
    )
