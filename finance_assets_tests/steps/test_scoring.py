"""Scoring many partitions at once: a run sends and reads each champion once."""

from collections import Counter
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mlflow import MlflowClient

from finance_assets.calendar import Calendar, Frequency
from finance_assets.lakehouse.folder import FolderTable
from finance_assets.ml.families import FAMILIES
from finance_assets.ml.families.xgboost import XgBoost, XgBoostModel
from finance_assets_tests.counting import counted
from finance_assets_tests.shop import (
    CUSTOMERS,
    FEATURES,
    MODEL,
    PREDICTIONS,
    TABLES,
    Shop,
    ShopRunner,
)

DAYS = Calendar(Frequency.daily, "2024-01-01", "2024-10-26")
NAMES = DAYS.partitions()
SCORING = slice(7, 8)
# What the engine takes as one message.
LIMIT = 128 << 20
# Of most days there are events of a few customers only.
FEW = dict.fromkeys(NAMES[5:], 3)


class Padded(XgBoost):
    """XGBoost, whose models carry a remark that is as long as hundreds of trees."""

    def fit(self, *given):
        model = super().fit(*given)
        model.booster.set_attr(remark="x" * (LIMIT // 290))
        return XgBoostModel(model.booster.save_raw("json").decode(), model.features)


@pytest.fixture
def asked(monkeypatch):
    """How often the registry was asked for which version."""
    return counted(
        monkeypatch, MlflowClient, "get_model_version", lambda client, name, version: version
    )


def test_hundreds_of_partitions_are_scored_at_once_and_each_champion_is_read_once(
    settings, spark, monkeypatch, asked
):
    monkeypatch.setitem(FAMILIES, "xgboost", Padded())
    shop = ShopRunner(Shop(DAYS, 0, arrived=FEW), settings, spark)
    shop.run(TABLES, NAMES[0], NAMES[4])
    shop.run(TABLES, NAMES[5], NAMES[-1])
    shop.run(MODEL, NAMES[3])
    asked.clear()
    shop.run(SCORING, NAMES[0], NAMES[-1])
    assert asked == {"1": 1}
    rows = shop.rows(PREDICTIONS)
    assert Counter(row["seen"] for row in rows) == {NAMES[4]: CUSTOMERS, **FEW}
    versions = {row["seen"]: row["data_version"] for row in rows}
    published = shop.lakehouse.history(FEATURES)
    assert versions == {
        p: f"{FEATURES}@{published.version_of(DAYS.window(p))}" for p in (NAMES[4], *FEW)
    }
    assert len(set(versions.values())) == 2


@pytest.fixture
def one_scored(settings, spark):
    """Five days of tables, and a champion as of the fourth, in force from the fifth."""
    shop = ShopRunner(Shop(DAYS, 0), settings, spark)
    shop.run(TABLES, NAMES[0], NAMES[4])
    shop.run(MODEL, NAMES[3])
    return shop


def test_predictions_of_one_partition_are_committed_as_the_files_that_were_audited(
    one_scored, monkeypatch
):
    saved, adopted, real = [], [], FolderTable.adopt
    monkeypatch.setattr(FolderTable, "save", lambda table, writer: saved.append(table.table))

    def adopting(table, files, statement):
        adopted.append([pq.read_schema(file) for staged in files.values() for file in staged])
        return real(table, files, statement)

    monkeypatch.setattr(FolderTable, "adopt", adopting)
    one_scored.run(SCORING, NAMES[4])
    assert saved == []
    table = one_scored.lakehouse.table(PREDICTIONS)
    declared = pa.schema(table.delta.schema().to_arrow())
    [written] = adopted
    assert {tuple(zip(one.names, one.types, strict=True)) for one in written} == {
        tuple(zip(declared.names, declared.types, strict=True))
    }
    by_engine = one_scored.spark.read.format("delta").load(str(table.path))
    assert by_engine.count() == len(table.rows()) == CUSTOMERS
    assert {row["scored_at"].year for row in table.rows()} == {datetime.now(UTC).year}
