"""What breaks the data comes before what breaks the labels, and the world comes last."""

from dataclasses import replace

import numpy as np
import pytest

from finance_assets.monitoring.drift import DriftReport, compare
from finance_assets.monitoring.measurements import Matured, Measurements, Rejected, Rival
from finance_assets.monitoring.reference import build_reference
from finance_assets.monitoring.significance import Figure
from finance_assets.monitoring.simulator import Change, Injury, injure
from finance_assets.monitoring.triage import Action, Verdict, triage
from finance_assets_tests.monitoring.power import (
    CASES,
    LIMITS,
    cases_at,
    changed,
    declared_limits,
    rates,
    report_of,
    shift_at,
    verdict,
    world,
)

REFERENCE, CALM = world(1, 20_000), world(2, 5_000)
SURE = Figure(0.0, -0.05, 0.05)
STABLE = Measurements("p", report_of(REFERENCE, CALM), "2", "digest")


def fared(**values):
    return replace(STABLE, matured=Matured("o", **values))


def test_a_stable_partition_waits_and_says_why():
    found = triage(STABLE)
    assert (found.verdict, found.action, found.champion_version) == ("none", "wait", "2")
    assert "largest PSI" in found.evidence[0]
    assert not found.drifted


def test_what_cannot_be_judged_says_so():
    assert triage(replace(STABLE, champion_version="")).verdict == Verdict.no_champion
    few = replace(STABLE, report=replace(STABLE.report, rows=LIMITS.min_rows - 1))
    assert triage(few).verdict == Verdict.too_few_rows


def test_of_few_rows_what_was_rejected_or_restated_still_counts_and_distributions_do_not():
    moved = report_of(REFERENCE, injure(CALM, Injury("normal", Change.shift, 2.0), 4))
    few = replace(STABLE, report=replace(moved, rows=LIMITS.min_rows - 1))
    assert triage(few).verdict == Verdict.too_few_rows
    assert not triage(few).drifted
    restated = triage(replace(few, restated=("t: p changed",)))
    assert (restated.verdict, restated.action) == (Verdict.restated_data, Action.hold)
    rejected = triage(replace(few, rejected=(Rejected("b", 100, 40),)))
    assert (rejected.verdict, rejected.action) == (Verdict.data_quality, Action.hold)


@pytest.mark.parametrize(
    ("found", "verdict", "action"),
    [
        (replace(STABLE, rejected=(Rejected("b", 100, 40),)), "data_quality", "hold"),
        (replace(STABLE, restated=("t: p changed",)), "restated_data", "hold"),
        (
            fared(level=Figure(0.7, 0.6, 0.8), before=SURE),
            "label_definition_change",
            "hold",
        ),
        (fared(level=Figure(1.2, 1.1, 1.3)), "concept_shift", "retrain"),
        (fared(level=SURE, before=SURE, lost=Figure(0.4, 0.3, 0.5)), "concept_shift", "retrain"),
        (fared(level=SURE, before=SURE, lost=Figure(0.4, -0.1, 0.9)), "none", "wait"),
        (fared(level=Figure(0.7, -0.2, 1.6), before=SURE), "none", "wait"),
        (fared(level=Figure(1.2, -0.1, 2.5)), "none", "wait"),
    ],
)
def test_each_finding_has_its_verdict_and_action(found, verdict, action):
    thought = triage(found)
    assert (thought.verdict, thought.action) == (verdict, action)


def test_of_few_rows_outcomes_are_judged_by_how_sure_they_are_and_distributions_not_at_all():
    """A month of a daily series never has the rows that a distribution takes."""
    few = replace(STABLE, report=replace(STABLE.report, rows=40))
    for sure in (
        {"level": Figure(1.2, 0.9, 1.5)},
        {"lost": Figure(0.4, 0.1, 0.7)},
    ):
        found = triage(replace(few, matured=Matured("o", **sure)))
        assert (found.verdict, found.action) == (Verdict.concept_shift, Action.retrain)
    for unsure in (
        {"level": Figure(1.2, 0.5, 1.9)},
        {"level": Figure(-1.2, -1.9, -0.5)},
        {"lost": Figure(0.4, -0.1, 0.9)},
    ):
        assert triage(replace(few, matured=Matured("o", **unsure))).verdict == Verdict.too_few_rows


def rival(version, *lost):
    return Rival(version, f"digest of v{version}", Figure(*lost))


def test_another_champion_comes_back_only_where_it_surely_does_better():
    lost = Figure(0.4, 0.3, 0.5)
    better = triage(fared(lost=lost, rivals=(rival("1", 0.05, 0.0, 0.1),)))
    assert (better.action, better.better_version) == (Action.roll_back, "1")
    assert better.better_sha256 == "digest of v1"
    assert "v1 does better on the same outcomes" in better.evidence
    unsure = triage(fared(lost=lost, rivals=(rival("1", 0.2, 0.05, 0.35),)))
    assert (unsure.action, unsure.better_version) == (Action.retrain, "")


def test_of_several_champions_that_do_better_the_one_that_surely_loses_least_is_named():
    rivals = rival("3", 0.1, 0.0, 0.2), rival("1", 0.05, 0.0, 0.1), rival("2", 0.0, -0.2, 0.25)
    assert triage(fared(lost=Figure(0.4, 0.3, 0.5), rivals=rivals)).better_version == "1"


def test_how_a_champion_fared_that_was_replaced_since_asks_for_nothing():
    lost = {"lost": Figure(0.4, 0.3, 0.5), "rivals": (rival("1", 0.05, 0.0, 0.1),)}
    assert triage(fared(**lost, scored_by="digest")).action == Action.roll_back
    assert triage(fared(**lost, scored_by="another")).verdict == Verdict.none


def codes(counts):
    """A code from 0 on, as often as the counts say."""
    return np.repeat(np.arange(len(counts), dtype=float), counts)


def test_a_code_that_was_a_rare_mistake_before_is_as_new_as_one_that_never_came():
    reference = build_reference("status", codes([60_000, 28, 30_000]))
    report = DriftReport(30_000, (compare(reference, [0, 0, 16_312, 3_688, 10_000, 0]),), LIMITS)
    found = triage(replace(STABLE, report=report))
    assert found.verdict == Verdict.encoding_change
    said = "status: 12.3% have codes that training all but never saw: 1 (12.3%)"
    assert said in found.evidence
    usual = build_reference("status", codes([60_000, 280, 30_000]))
    assert not DriftReport(
        30_000, (compare(usual, [0, 0, 16_312, 3_688, 10_000, 0]),), LIMITS
    ).unseen()


def test_the_codes_that_came_new_are_named_most_frequent_first():
    reference = build_reference("status", codes([6_000, 0, 0, 0, 0, 3_000]) - 1)
    now = [0, 40, 3_000, 300, 60, 0, 50, 1_500, 50]
    report = DriftReport(5_000, (compare(reference, now),), LIMITS)
    [said] = (one for one in triage(replace(STABLE, report=report)).evidence if "codes" in one)
    assert said.partition("never saw: ")[2] == "0 (6.0%), 1 (1.2%), 3 (1.0%), …"
    beyond = DriftReport(
        5_000, (compare(reference, [0, 0, 3_300, 0, 0, 0, 0, 1_500, 200]),), LIMITS
    )
    [said] = (one for one in triage(replace(STABLE, report=beyond)).evidence if "codes" in one)
    assert said.endswith("never saw: 5 or above (4.0%)")


def test_a_source_that_became_a_little_more_complete_is_no_immature_reference():
    def report(missing):
        values = np.where(np.arange(20_000) < missing, np.nan, np.arange(20_000) % 100.0)
        reference = build_reference("t", values)
        now = [0, *(n * 5_000 // sum(reference.counts[1:]) for n in reference.counts[1:])]
        return DriftReport(5_000, (compare(reference, now),), replace(LIMITS, drift_psi=99))

    assert triage(replace(STABLE, report=report(2_200))).verdict == Verdict.none
    assert triage(replace(STABLE, report=report(8_000))).verdict == Verdict.immature_reference


def test_bad_data_outranks_everything_and_nothing_found_is_left_unsaid():
    code = injure(CALM, Injury("code", Change.new_category, 0.1, code=2.0), 3)
    moved = injure(code, Injury("normal", Change.shift, 2.0), 4)
    every = replace(
        fared(level=Figure(0.7, 0.6, 0.8), before=SURE),
        report=report_of(REFERENCE, moved),
        restated=("t: p changed",),
    )
    found = triage(every)
    assert (found.verdict, found.action) == (Verdict.encoding_change, Action.hold)
    said = "\n".join(found.evidence)
    for word in (
        "codes that training all but never saw",
        "definition of the label",
        "t: p changed",
        "PSI",
    ):
        assert word in said
    assert set(found.drifted) >= {"code", "normal"}


def test_a_change_comes_gradually_and_by_its_seed():
    slow = Injury("normal", Change.shift, 1.0, lasts=4)
    means = [float(injure(CALM, slow, 5, step)["normal"].mean()) for step in range(6)]
    assert means[0] == pytest.approx(float(CALM["normal"].mean()))
    assert means == sorted(means)
    assert means[4] == means[5]
    gone = Injury("amount", Change.missing, 0.2)
    first, again = (injure(CALM, gone, 6)["amount"] for _ in range(2))
    assert np.array_equal(first, again, equal_nan=True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_few_worlds_get_the_verdict_that_they_deserve(case):
    assert {verdict(case, seed) for seed in (101, 102)} == {case.wanted}


@pytest.mark.slow
def test_alarms_are_rarely_false_and_documented_sizes_rarely_missed():
    for case, rate, found in rates(100):
        assert rate >= (0.99 if case.injury is None else 0.95), (case.title, found)


@pytest.mark.slow
@pytest.mark.parametrize("limits", declared_limits(), ids=changed)
def test_no_limits_that_a_use_case_declares_alarm_falsely_down_to_the_fewest_rows(limits):
    calm = tuple(case for case in cases_at(limits) if case.injury is None)
    assert min(case.rows for case in calm) == limits.min_rows
    for case, rate, found in rates(100, calm, limits):
        assert rate >= 0.99, (case.title, found)


@pytest.mark.slow
@pytest.mark.parametrize("limits", declared_limits(), ids=changed)
def test_every_limits_that_a_use_case_declares_notice_a_shift_of_their_size(limits):
    [(case, rate, found)] = rates(100, (shift_at(limits),), limits)
    assert rate >= 0.95, (case.title, found)
