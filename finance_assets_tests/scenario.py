"""Scenarios: tiny deliveries and runs that tests share. Everything here is small and exact.

Tests of the framework run on one use case. Which one is said here and nowhere else.
"""

import csv
import gzip
import io
import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from filelock import FileLock

from finance_assets.compute.databricks.tasks import task_key
from finance_assets.compute.runner import open_lakehouse, run_step
from finance_assets.lakehouse.contract import Contract
from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.settings import Settings
from finance_assets.step.declaration import Kind, StepResult
from finance_assets.use_cases.credit_default.use_case import LATE, USE_CASE, through

NAME, CALENDAR, MODEL, SAMPLES = (
    USE_CASE.name,
    USE_CASE.calendar,
    USE_CASE.model,
    USE_CASE.samples,
)
GATE = MODEL.gate
APRIL, MAY, JUNE, JULY, AUGUST, SEPTEMBER = CALENDAR.partitions()

# Outcomes that ship beside the samples, for the month after the last one: nobody reads them unless
# they are landed and the calendar goes on.
OCTOBER = CALENDAR.shift(SEPTEMBER, 1)
LATE_USE_CASE = through(OCTOBER)


def _keys(kind: Kind, layer: str) -> list[str]:
    steps = (step for step in USE_CASE.steps if step.kind is kind)
    return [step.key for step in steps if step.contract.layer == layer]


BRONZE, LATE_BRONZE = _keys(Kind.ingest, "bronze")
SILVER, LATE_SILVER = _keys(Kind.table, "silver")
GOLD, PORTFOLIO = _keys(Kind.table, "gold")
FEATURES, LABELS = MODEL.features.table, MODEL.labels.table
[CANDIDATE] = _keys(Kind.training, "models")
[EVALUATION] = _keys(Kind.evaluation, "models")
[DECISION] = _keys(Kind.decision, "models")
[PREDICTIONS] = _keys(Kind.scoring, "predictions")
[DRIFT] = _keys(Kind.monitoring, "monitoring")
CHAMPION_HISTORY = champion_history_contract(NAME).table
TABLE_STEPS = tuple(s for s in USE_CASE.steps if s.kind in (Kind.ingest, Kind.table))
DELIVERY = USE_CASE.step(BRONZE).source
PIPELINE, RETRAINING = f"{NAME}_pipeline", f"{NAME}_retraining"


def contract(key: str) -> Contract:
    """The contract of a table that a step makes."""
    return USE_CASE.step(key).contract


def node(key: str) -> str:
    """The name of the Dagster op that makes a table."""
    return key.replace(".", "__")


def task_of(key: str) -> str:
    """The key of the Databricks task that makes a table."""
    return task_key([USE_CASE.step(key)])


def delivered(month: str) -> str:
    """The name of the file that is delivered for a month."""
    return DELIVERY.path(Path(), month).name


@dataclass(frozen=True)
class Statement:
    """A delivered row, in the order of the header; good unless a test says otherwise."""

    account_id: str = "1"
    statement_month: str = APRIL
    credit_limit_ntd: str = "20000"
    sex_code: str = "2"
    education_code: str = "2"
    marital_status_code: str = "1"
    age_years: str = "24"
    pay_status: str = "0"
    bill_ntd: str = "3913"
    payment_ntd: str = "100"

    def line(self) -> str:
        """The row as CSV."""
        return ",".join(getattr(self, name) for name in DELIVERY.header)


HEADER = ",".join(DELIVERY.header)


def deliver(landing: Path, month: str, *rows: Statement | str, header: str = HEADER) -> Path:
    """Put a delivery into the landing folder; a text row is written as it is."""
    lines = [header, *(row if isinstance(row, str) else row.line() for row in rows)]
    return deliver_bytes(landing, month, ("\n".join(lines) + "\n").encode())


def delivery_path(landing: Path, month: str) -> Path:
    """Where the delivery of a month is expected."""
    return DELIVERY.path(landing / USE_CASE.name, month)


def without_deliveries(landing: Path) -> None:
    """Take every delivery out of the landing folder."""
    for file in (landing / USE_CASE.name).iterdir():
        file.unlink()


def deliver_bytes(landing: Path, month: str, content: bytes) -> Path:
    """Put these very bytes, gzipped, into the landing folder."""
    path = delivery_path(landing, month)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content))
    return path


def statements(month: str, count: int = 3, **values: str) -> list[Statement]:
    """Good rows of a month for accounts 1 … count."""
    base = Statement(statement_month=month, **values)
    return [replace(base, account_id=str(i + 1)) for i in range(count)]


@cache
def _shipped(month: str) -> list[list[str]]:
    with gzip.open(DELIVERY.path(SAMPLES, month), "rt") as stream:
        return list(csv.reader(stream))


def shipped(month: str, accounts: int) -> list[list[str]]:
    """The fields of the first accounts of a shipped delivery."""
    return _shipped(month)[1 : accounts + 1]


def deliver_late_labels(landing: Path, accounts: int, flip: int = 0) -> Path:
    """Land the official flags of the first accounts; those of the first `flip` turned around."""
    source = LATE_USE_CASE.step(LATE_BRONZE).source
    with gzip.open(source.path(LATE, OCTOBER), "rt") as stream:
        header, *rows = list(csv.reader(stream))[: accounts + 1]
    for row in rows[:flip]:
        row[-1] = str(1 - int(row[-1]))
    text = "".join(",".join(row) + "\n" for row in [header, *rows])
    path = source.path(landing / USE_CASE.name, OCTOBER)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    return path


def deliver_sample(landing: Path, accounts: int, months: list[str] | None = None) -> None:
    """The first accounts of the shipped deliveries: real data, small enough for a test."""
    for month in months or USE_CASE.calendar.partitions():
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(_shipped(month)[: accounts + 1])
        deliver_bytes(landing, month, text.getvalue().encode())


class Runner:
    """Runs steps of the use case directly, without Dagster."""

    def __init__(self, settings: Settings, spark) -> None:
        self.settings, self.spark = settings, spark
        self.lakehouse = open_lakehouse(settings, lambda: spark)

    def run(self, key: str, first: str, last: str | None = None, step=None) -> StepResult:
        """Run one step over a window."""
        return run_step(
            step or USE_CASE.step(key),
            CALENDAR.window(first, last),
            settings=self.settings,
            session=lambda: self.spark,
            run_id="test",
            report=lambda message: None,
        )

    def run_tables(self, first: str, last: str | None = None) -> None:
        """Every table step, in order."""
        for step in TABLE_STEPS:
            result = self.run(step.key, first, last)
            assert result.publication is not None, (step.key, failed(result))

    def rows(self, key: str, order: str = "1, 2") -> list[dict]:
        """The stored rows of a table."""
        frame = self.spark.read.format("delta").load(str(self.lakehouse.path(key)))
        frame.createOrReplaceTempView("wanted")
        ordered = self.spark.sql(f"SELECT * FROM wanted ORDER BY {order}")
        return [row.asDict() for row in ordered.collect()]

    def quarantined(self, key: str) -> dict[int, str]:
        """Reasons by line of the delivery."""
        rows = self.rows(f"{key}_quarantine", "_source_line")
        return {row["_source_line"]: row["_reasons"] for row in rows}


class HomeTemplates:
    """Homes that many tests begin with: each made once, and copied ever after."""

    def __init__(self, root: Path, spark, mlflow_store: Path) -> None:
        self.root, self.spark, self.mlflow_store = root, spark, mlflow_store

    def tables(self, runner: Runner, accounts: int, last: str) -> None:
        """Give a runner's home the tables of April … `last`, and their deliveries."""

        def make(template: Template) -> None:
            deliver_sample(template.settings.landing, accounts)
            template.run_tables(APRIL, last)

        self.copy(runner, f"{accounts}-{last}", make)

    def copy(self, runner: Runner, name: str, make: Callable[["Template"], None]) -> None:
        """Give a runner's home what `make` makes of an empty one."""
        template = self.root / name
        made = template.with_suffix(".made")
        with FileLock(template.with_suffix(".lock")):
            if not made.exists():
                settings = Settings(home=template, landing=template / "landing", git_sha="test")
                settings.landing.mkdir(parents=True)
                settings.prepare_home()
                shutil.copy(self.mlflow_store, settings.root / "mlflow" / "mlflow.db")
                make(Template(settings, self.spark, self))
                made.touch()
        shutil.copytree(template / "landing", runner.settings.landing, dirs_exist_ok=True)
        for part in ("lakehouse", "mlflow", "deliveries"):
            if (template / part).exists():
                shutil.copytree(template / part, runner.settings.root / part, dirs_exist_ok=True)
        move_mlflow(runner.settings.root / "mlflow" / "mlflow.db", template, runner.settings.root)

    def runner(self, home: Path, name: str, make: Callable[["Template"], None]) -> Runner:
        """Runs steps in a new home, with its landing folder in it, that begins with a copy."""
        settings = Settings(home=home, landing=home / "landing", git_sha="test")
        settings.prepare_home()
        runner = Runner(settings, self.spark)
        self.copy(runner, name, make)
        return runner


class Template(Runner):
    """Runs steps in a home that others are copied from; it begins with a copy of another one."""

    def __init__(self, settings: Settings, spark, homes: HomeTemplates) -> None:
        super().__init__(settings, spark)
        self.homes = homes

    def begin(self, accounts: int, last: str) -> None:
        """The tables of April … `last`, made once for all templates."""
        self.homes.tables(self, accounts, last)

    def begin_with(self, name: str, make: Callable[["Template"], None]) -> None:
        """What `make` makes of an empty home, made once for all templates."""
        self.homes.copy(self, name, make)


def move_mlflow(database: Path, before: Path, after: Path) -> None:
    """Let a copied MLflow store name its artifacts where they lie now."""
    from mlflow.tracking._tracking_service.utils import _artifact_repos_cache

    # MLflow remembers where the artifacts of a run lie, as long as the process lives.
    _artifact_repos_cache.clear()
    with sqlite3.connect(database) as store:
        tables = [r[0] for r in store.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        for table in tables:
            for _, column, kind, *_ in store.execute(f"PRAGMA table_info('{table}')").fetchall():
                if kind.upper().startswith(("VARCHAR", "TEXT")):
                    store.execute(
                        f'UPDATE "{table}" SET "{column}" = replace("{column}", ?, ?)'
                        f' WHERE instr("{column}", ?)',
                        (str(before), str(after), str(before)),
                    )


def clean_environment(**more: str) -> dict[str, str]:
    """What a user's shell would have: without our settings, Dagster's, or those that a Spark
    session leaves in the environment of its process. Python may keep what it compiles: each of
    hundreds of processes imports the project."""
    ours = ("FINANCE_ASSETS_", "DAGSTER_", "SPARK_", "PYSPARK_", "SAIL_", "PYTHONDONTWRITEBYTECODE")
    return {**{k: v for k, v in os.environ.items() if not k.startswith(ours)}, **more}


def failed(result: StepResult) -> list[str]:
    """Names of the checks that did not pass."""
    return [outcome.check.name for outcome in result.outcomes if not outcome.is_passed]
