"""What monitoring thinks of real months: a champion too young, a code from nowhere, corrections."""

import base64
import gc
import re
import shutil

import pytest
from mlflow import MlflowClient

from finance_assets.automation.landing import Files, Landing
from finance_assets.compute.runner import open_context, run_step
from finance_assets.lakehouse.folder import FolderTable
from finance_assets.lakehouse.publish import publish
from finance_assets.lakehouse.record import from_rows
from finance_assets.model_life.contracts import drift_contract, triage_contract
from finance_assets.model_life.monitoring_report import series_of
from finance_assets.model_life.performance_log import (
    ERROR,
    ESTIMATED,
    OBSERVED,
    PerformanceRecord,
    Recorder,
    performance_contract,
    quality_contract,
)
from finance_assets.model_life.performance_measuring import MeasuredPerformance
from finance_assets.model_life.restated import restated_since
from finance_assets.model_life.verdicts import stored_summaries, stored_triage
from finance_assets.monitoring.triage import Action, Verdict
from finance_assets.step.records import publish_records
from finance_assets.steps import monitoring
from finance_assets_tests.model_life.models import DRIFT, PREDICTIONS, report_of
from finance_assets_tests.model_life.test_model_life import EASY, champion_as_of_june, retrain
from finance_assets_tests.scenario import (
    APRIL,
    AUGUST,
    BRONZE,
    CALENDAR,
    HEADER,
    JULY,
    JUNE,
    LABELS,
    MAY,
    MODEL,
    SEPTEMBER,
    USE_CASE,
    deliver,
    shipped,
)

PERFORMANCE, QUALITY = performance_contract(MODEL), quality_contract(MODEL)
TRIAGE = triage_contract(MODEL)
WRITTEN = (PERFORMANCE.table, QUALITY.table, TRIAGE.table, DRIFT)
ACCOUNTS = 2000


def monitored_through_september(runner):
    """v1, learned as of June, on July and August; v2, learned as of August, on September."""
    runner.begin_with("champion_as_of_june", champion_as_of_june)
    for month in (JULY, AUGUST):
        runner.run(PREDICTIONS, month)
        runner.run(DRIFT, month)
    retrain(runner, AUGUST, EASY)
    runner.run_tables(SEPTEMBER)
    runner.run(PREDICTIONS, SEPTEMBER)
    runner.run(DRIFT, SEPTEMBER)


@pytest.fixture
def monitored(runner, homes):
    homes.copy(runner, "monitored_through_september", monitored_through_september)
    return runner


def thoughts(runner):
    return stored_triage(runner.lakehouse, MODEL)


def performance(runner, **wanted):
    rows = runner.lakehouse.history(PERFORMANCE.table).rows()
    records = from_rows(PerformanceRecord, rows, partition=PERFORMANCE.partition_column)
    return [r for r in records if all(getattr(r, k) == v for k, v in wanted.items())]


def test_real_months_are_judged_for_what_they_are(monitored):
    found = thoughts(monitored)
    assert found[JULY].verdict == Verdict.immature_reference
    assert found[JULY].action == Action.retrain
    assert found[SEPTEMBER].verdict == Verdict.encoding_change
    assert found[SEPTEMBER].action == Action.hold
    assert found[SEPTEMBER].drifted[0] == "pay_status"
    assert "pay_status" in found[SEPTEMBER].evidence[0]
    assert stored_summaries(monitored.lakehouse, MODEL)[SEPTEMBER].action == "hold"


def test_the_report_of_a_month_lies_in_the_run_of_its_champion_with_verdict_and_plots(monitored):
    page = report_of(monitored.settings, "2", SEPTEMBER)
    assert "encoding change: hold" in page
    assert f"{ACCOUNTS} rows, scored by v2." in page
    for sentence in thoughts(monitored)[SEPTEMBER].evidence:
        assert sentence in page
    plots = dict(re.findall(r'alt="(\w+)" src="data:image/png;base64,([^"]+)"', page))
    assert list(plots) == ["Drift", "Output", "Reliability", "Performance"]
    assert all(base64.b64decode(png).startswith(b"\x89PNG") for png in plots.values())
    for shown in (
        "<td>pay_status</td>",
        f"<td>{BRONZE}</td>",
        f"<td>{AUGUST}</td><td>observed</td>",
    ):
        assert shown in page


@pytest.mark.parametrize("lost", WRITTEN)
def test_a_verdict_that_a_crash_kept_from_its_table_is_found_to_be_missing(
    runner, homes, monkeypatch, lost
):
    homes.copy(runner, "champion_as_of_june", champion_as_of_june)
    runner.run(PREDICTIONS, JULY)

    def dies(lakehouse, proposal, origin):
        if proposal.contract.table == lost:
            raise OSError("the process died")
        return publish(lakehouse, proposal, origin)

    with monkeypatch.context() as patch:
        patch.setattr("finance_assets.step.declaration.publish", dies)
        with pytest.raises(OSError, match="died"):
            runner.run(DRIFT, JULY)
    assert f"{DRIFT} was not made yet" in reasons_to_run(runner, JULY)
    runner.run(DRIFT, JULY)
    assert f"{DRIFT} was not made yet" not in reasons_to_run(runner, JULY)
    assert thoughts(runner)[JULY].verdict == Verdict.immature_reference


def reasons_to_run(runner, partition):
    """Why the landing sensor would run a partition; it looks twice at each file."""
    files = Files()
    for _ in range(2):
        pending = Landing(USE_CASE, runner.lakehouse, runner.settings, files).pending()
    return [reason for one in pending if one.partition == partition for reason in one.reasons]


def test_what_was_estimated_is_held_against_what_came(monitored):
    estimated, observed, missed = (
        {r.metric: r for r in performance(monitored, scored=JULY, kind=kind, segment="all")}
        for kind in (ESTIMATED, OBSERVED, ERROR)
    )
    assert {r.partition for r in estimated.values()} == {JULY}
    assert {r.partition for r in observed.values()} == {AUGUST}
    for metric in ("auc", "brier", "outcome_rate", "cost_per_row"):
        difference = estimated[metric].value - observed[metric].value
        assert missed[metric].value == pytest.approx(difference)
        assert observed[metric].low < observed[metric].value < observed[metric].high
    assert abs(missed["auc"].value) < 0.1
    assert any(r.segment.startswith("sex=") for r in performance(monitored, scored=JULY))


def test_a_second_run_says_nothing_new(monitored):
    before = monitored.lakehouse.history(PERFORMANCE.table).version
    monitored.run(DRIFT, AUGUST)
    assert monitored.lakehouse.history(PERFORMANCE.table).version == before


def measured_long_ago(runner, count):
    """The months before the first one were measured as July was, by another version of us."""
    first = CALENDAR.shift(APRIL, -count)
    window = CALENDAR.window(first, CALENDAR.shift(APRIL, -1))
    ctx = open_context(
        runner.settings,
        lambda: runner.spark,
        run_id="long ago",
        report=lambda _: None,
        window=window,
    )
    for contract in (PERFORMANCE, drift_contract(MODEL), TRIAGE):
        column = contract.partition_column
        july = runner.lakehouse.history(contract.table).rows("*", f"{column} = '{JULY}'")
        assert july
        past = [
            {**row, column: month, **({"scored": month} if "scored" in row else {})}
            for month in window
            for row in july
        ]
        publish_records(ctx, contract, past)


def test_a_month_is_measured_and_told_without_reading_all_that_was_ever_measured(
    monitored, monkeypatch
):
    read, rows = [], FolderTable.rows

    def counted(table, *args, **more):
        found = rows(table, *args, **more)
        read.append((table.table, len(found)))
        return found

    def rows_read(act):
        read.clear()
        with monkeypatch.context() as patch:
            patch.setattr(FolderTable, "rows", counted)
            act()
        return sum(count for table, count in read if table.startswith("monitoring."))

    found = {}
    for months in (30, 60):
        measured_long_ago(monitored, months)
        step = rows_read(lambda: monitored.run(DRIFT, SEPTEMBER))
        found[months] = step, rows_read(lambda: stored_summaries(monitored.lakehouse, MODEL))
    assert found[60][0] == found[30][0]
    # A verdict and a size for each month.
    assert found[60][1] - found[30][1] == 2 * 30
    assert stored_summaries(monitored.lakehouse, MODEL)[JULY].max_psi > 0.1
    assert len(stored_summaries(monitored.lakehouse, MODEL)) == 63


def test_a_range_is_monitored_with_the_outcomes_of_one_partition_at_a_time(monitored, monkeypatch):
    asked, real = [], MlflowClient.get_model_version

    def asking(client, name, version):
        asked.append(version)
        return real(client, name, version)

    monkeypatch.setattr(MlflowClient, "get_model_version", asking)
    judged, real_restated = [], restated_since

    def restated(*known):
        judged.append(known[-1].model_version)
        return real_restated(*known)

    monkeypatch.setattr(monitoring, "restated_since", restated)
    held = []

    def count_held(message):
        found = (one for one in gc.get_objects() if isinstance(one, MeasuredPerformance))
        held.append(sum(one.outcome is not None for one in found))

    before = {key: monitored.lakehouse.history(key).version for key in WRITTEN}
    run_step(
        USE_CASE.step(DRIFT),
        USE_CASE.calendar.window(JULY, AUGUST),
        settings=monitored.settings,
        session=lambda: monitored.spark,
        run_id="test",
        report=count_held,
    )
    assert held[:2] == [0, 1]
    assert asked == ["1", "1"], "once for both months, and once for the report"
    assert judged == ["1"], "what a champion rests on is looked up once"
    assert {key: monitored.lakehouse.history(key).version for key in WRITTEN} == before


def test_rejected_rows_and_their_reasons_are_kept_by_month(monitored):
    rows = monitored.lakehouse.history(QUALITY.table).rows("*", f"measured_table = '{BRONZE}'")
    assert {row[QUALITY.partition_column] for row in rows} == {JULY, AUGUST, SEPTEMBER}
    assert all(row["delivered"] == ACCOUNTS for row in rows)


def test_a_correction_of_what_was_learned_from_is_a_finding_of_its_own(monitored):
    status = HEADER.split(",").index("pay_status")
    rows = shipped(MAY, ACCOUNTS)
    corrected = [[*row[:status], "2", *row[status + 1 :]] for row in rows[:300]]
    lines = (",".join(row) for row in corrected + rows[300:])
    deliver(monitored.settings.landing, MAY, *lines)
    monitored.run_tables(APRIL, AUGUST)
    monitored.run(DRIFT, AUGUST)
    found = thoughts(monitored)[AUGUST]
    assert (found.verdict, found.action) == (Verdict.restated_data, Action.hold)
    assert f"{MAY}" in found.evidence[0]


def test_corrected_outcomes_are_measured_anew_and_what_was_said_before_is_kept(monitored):
    first = {r.labels_version for r in performance(monitored, scored=JULY, kind=OBSERVED)}
    status = HEADER.split(",").index("pay_status")
    rows = shipped(AUGUST, ACCOUNTS)
    corrected = [[*row[:status], "2", *row[status + 1 :]] for row in rows[:100]]
    lines = (",".join(row) for row in corrected + rows[100:])
    deliver(monitored.settings.landing, AUGUST, *lines)
    monitored.run_tables(AUGUST)
    monitored.run(DRIFT, AUGUST)
    rates = performance(monitored, scored=JULY, kind=OBSERVED, metric="outcome_rate")
    assert len(rates) == 2
    assert rates[0].labels_version in first
    assert max(r.value for r in rates) > min(r.value for r in rates)


def test_labels_that_were_made_anew_are_a_finding_and_are_measured_anew(monitored):
    """Deleted and run again on corrected deliveries, so that versions begin again."""
    before = performance(monitored, scored=JULY, kind=OBSERVED, metric="outcome_rate")
    status = HEADER.split(",").index("pay_status")
    for month in (JUNE, JULY, AUGUST):
        rows = shipped(month, ACCOUNTS)
        corrected = [[*row[:status], "2", *row[status + 1 :]] for row in rows[:300]]
        lines = (",".join(row) for row in corrected + rows[300:])
        deliver(monitored.settings.landing, month, *lines)
    shutil.rmtree(monitored.lakehouse.path(LABELS))
    monitored.run_tables(APRIL, AUGUST)
    monitored.run(DRIFT, AUGUST)
    restated = [one for one in thoughts(monitored)[AUGUST].evidence if LABELS in one]
    assert restated == [f"{LABELS}: was made anew since v1 was trained"]
    after = performance(monitored, scored=JULY, kind=OBSERVED, metric="outcome_rate")
    assert max(r.value for r in after) > max(r.value for r in before)
    said_last = max(r.recorded_at for r in after)
    assert max(after, key=lambda r: r.value).recorded_at == said_last


def test_of_labels_made_anew_the_newest_figures_are_plotted_though_their_version_is_lower():
    def observed(version, recorded_at, value):
        told = Recorder(AUGUST, JULY, "1", "digest", OBSERVED, version, recorded_at)
        return told("all", "auc", value)

    records = [observed(1, "2005-11-02T00:00:00", 0.7), observed(5, "2005-10-02T00:00:00", 0.9)]
    assert series_of(records) == {OBSERVED: {JULY: (0.7, 0.7, 0.7)}}
