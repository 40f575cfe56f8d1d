"""What the season brings: drift is held against the same season of the year before."""

import json
from dataclasses import replace

import pytest

from finance_assets.calendar import Calendar, Frequency
from finance_assets.compute.runner import open_context
from finance_assets.lakehouse.record import as_rows
from finance_assets.model_life.contracts import DriftRecord, drift_contract
from finance_assets.model_life.drift_measuring import season_before
from finance_assets.monitoring.drift import compare
from finance_assets.monitoring.reference import build_reference
from finance_assets.step.records import publish_records
from finance_assets_tests.scenario import MODEL

TWO_YEARS = Calendar(Frequency.monthly, first="2021-01", last="2022-12")
CONTRACT = drift_contract(MODEL)
COUNTS = {"2021-07": [0, 0, 10, 20, 30, 0], "2021-08": [0, 0, 60, 0, 0, 0]}


class Champion:
    """All that is asked of one here."""

    model_sha256 = "of the champion"


@pytest.fixture
def measured(settings, spark):
    """Two months that the champion was measured in, each with counts of its own."""
    window = TWO_YEARS.window("2021-07", "2021-08")
    ctx = open_context(settings, lambda: spark, run_id="test", report=lambda _: None, window=window)
    reference = build_reference("status", [0.0, 1.0, 2.0] * 20)
    records = [
        DriftRecord.of(month, compare(reference, counts), sum(counts), "1", Champion.model_sha256)
        for month, counts in COUNTS.items()
    ]
    published = publish_records(
        ctx, CONTRACT, as_rows(records, partition=CONTRACT.partition_column)
    )
    assert published.publication is not None
    assert json.loads(records[0].counts) == COUNTS["2021-07"]
    return replace(ctx, window=TWO_YEARS.window("2022-07"))


def test_july_is_compared_with_july_as_long_as_the_same_champion_serves(measured):
    champion, newer = Champion(), Champion()
    newer.model_sha256 = "of another"
    assert season_before(measured, MODEL, champion, "2022-07") == {"status": COUNTS["2021-07"]}
    assert season_before(measured, MODEL, newer, "2022-07") == {}


def test_before_a_year_has_passed_there_is_no_season(measured):
    assert season_before(measured, MODEL, Champion(), "2021-09") == {}


def test_what_the_same_run_has_measured_and_not_yet_stored_counts(measured):
    reference = build_reference("status", [0.0, 1.0, 2.0] * 20)
    drift = compare(reference, [0, 1, 1, 1, 1, 0])
    again = DriftRecord.of("2021-07", drift, 4, "1", Champion.model_sha256)
    found = season_before(measured, MODEL, Champion(), "2022-07", {"2021-07": [again]})
    assert found == {"status": [0, 1, 1, 1, 1, 0]}
