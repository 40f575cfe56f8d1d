"""A use case of somebody else's: a package outside finance_assets, written for a test.

A telephone company's customers, who leave or stay. The outcome comes with the row.
"""

from pathlib import Path

import numpy as np

from finance_assets_tests.ml.evidence import EASY_GATE

CUSTOMERS, MONTHS = 1200, ("2024-01", "2024-02", "2024-03", "2024-04")

TABLES = '''
"""What is delivered, and the tables that are made of it."""

from {package}.shared import OWNER
from finance_assets.lakehouse.contract import Column, Contract
from finance_assets.lakehouse.sources.bronze import bronze_contract
from finance_assets.lakehouse.sources.source import Source, columns_named

NAMES = ("customer_id", "calls", "spent", "has_left")
CUSTOMERS = Source("the switch", "customers_{{partition}}.csv", columns_named(NAMES))
BRONZE = bronze_contract(CUSTOMERS, "bronze.{name}_customer_deliveries", "As they came.")
TYPES = ("bigint", "double", "double", "boolean")


def _typed(name, type_):
    return Column(name, type_, name, derived_from=(f"{{BRONZE.table}}.{{name}}",))


SILVER = Contract(
    table="silver.{name}_customers",
    description=f"Typed, for {{OWNER}}.",
    columns=(*map(_typed, NAMES, TYPES), _typed("delivered_for", "string")),
    key=("customer_id", "delivered_for"),
    partition_column="delivered_for",
    has_quarantine=True,
)


def _of(table, description, *columns):
    return Contract(
        table=table,
        description=description,
        columns=tuple(SILVER.passed_on(name) for name in columns),
        key=("customer_id", "delivered_for"),
        partition_column="delivered_for",
    )


KEY = ("customer_id", "delivered_for")
FEATURES = _of("features.{name}_features", "What the model sees.", *KEY, "calls", "spent")
LABELS = _of("labels.{name}_labels", "Who left.", *KEY, "has_left")
'''

USE_CASE = '''
"""Which customers leave?"""

from pathlib import Path

from {package}.cases.{name} import tables
from {package}.shared import OWNER
from finance_assets.calendar import Calendar, Frequency
from finance_assets.ml.spec import ModelSpec, Protected, ProtectedAttribute
from finance_assets.ml.tasks.binary.costs import CostMatrix
from finance_assets.ml.tasks.binary.criteria import *
from finance_assets.ml.gate import Gate
from finance_assets.ml.tasks.binary.task import Band, Binary
from finance_assets.monitoring.drift import DriftLimits
from finance_assets.step.declaration import Input
from finance_assets.step.use_case import UseCase
from finance_assets.steps.ingest import ingest_step
from finance_assets.steps.model_steps import model_steps
from finance_assets.steps.table import Conservation, refine_step, table_step

NAME, SAMPLES = "{name}", Path(__file__).parent / "samples"
CALENDAR = Calendar(Frequency.monthly, "2024-01", "2024-04")
COSTS = CostMatrix(flagged_good=1.0, missed_bad=3.0, unit="calls")


def features(silver):
    return silver.select("customer_id", "delivered_for", "calls", "spent")


def labels(silver):
    return silver.select("customer_id", "delivered_for", "has_left")


def _table(contract, transform):
    def made({name}_customers):
        return transform({name}_customers)

    inputs = (Input(tables.SILVER),)
    return table_step(NAME, contract, inputs, made, Conservation(tables.SILVER))


STEPS = (
    ingest_step(NAME, tables.CUSTOMERS, tables.BRONZE, SAMPLES),
    refine_step(NAME, tables.BRONZE, tables.SILVER),
    _table(tables.FEATURES, features),
    _table(tables.LABELS, labels),
)
MODEL = ModelSpec(
    name=NAME,
    owner=OWNER,
    purpose="Whom to call.",
    features=tables.FEATURES,
    labels=tables.LABELS,
    feature_names=("calls", "spent"),
    target="has_left",
    label_lag=0,
    naive="spent",
    task=Binary(COSTS, (Band("low", 0.0), Band("high", COSTS.threshold)), "high"),
    gate={gate!r},
    drift=DriftLimits(),
    protected=Protected(
        tables.SILVER,
        (ProtectedAttribute("half", "CASE WHEN customer_id % 2 = 0 THEN 'a' ELSE 'b' END"),),
        min_group_rows=100,
    ),
    lineage=(tables.SILVER, tables.BRONZE),
    params={{"learning_rate": 0.1, "max_depth": 2, "min_child_weight": 10.0}},
    rounds=40,
)
USE_CASE = UseCase(
    NAME, "Which customers leave?", OWNER, CALENDAR, (*STEPS, *model_steps(MODEL, CALENDAR, STEPS)),
    MODEL, SAMPLES,
)
'''


def write_package(folder: Path, package: str, name: str) -> Path:
    """A package with one use case in `<package>.cases`, which imports from beside it."""
    place = folder / package / "cases" / name
    (place / "samples").mkdir(parents=True)
    for part in (place, place.parent, place.parent.parent):
        (part / "__init__.py").touch()
    (folder / package / "shared.py").write_text('OWNER = "calls@example.com"\n')
    for file, text in (("tables.py", TABLES), ("use_case.py", USE_CASE)):
        written = text.lstrip().format(package=package, name=name, gate=EASY_GATE)
        (place / file).write_text(written)
    for number, month in enumerate(MONTHS):
        (place / "samples" / f"customers_{month}.csv").write_text(delivery(number))
    return place


def delivery(number: int) -> str:
    """A month's customers: who calls little and spends much leaves."""
    drawn = np.random.default_rng(number)
    calls, spent = drawn.normal(size=(2, CUSTOMERS)).round(4)
    leaves = drawn.random(CUSTOMERS) < 1 / (1 + np.exp(1.2 + 0.8 * calls - 1.5 * spent))
    rows = zip(range(1, CUSTOMERS + 1), calls, spent, leaves, strict=True)
    lines = [f"{i},{c},{s},{str(bool(gone)).lower()}" for i, c, s, gone in rows]
    return "\n".join(["customer_id,calls,spent,has_left", *lines]) + "\n"
