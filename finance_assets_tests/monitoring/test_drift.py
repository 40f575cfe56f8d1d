"""Drift against values worked out by hand, and the verdicts that follow."""

import bisect
import json
import math
import random
from dataclasses import replace

import numpy as np
import pytest

from finance_assets.monitoring.drift import (
    DriftLimits,
    DriftReport,
    compare,
    jensen_shannon,
    population_stability_index,
)
from finance_assets.monitoring.reference import (
    MAX_INTEGER_BINS,
    QUANTILE_BINS,
    bin_conditions,
    breach_condition,
    build_reference,
    choose_edges,
)
from finance_assets.monitoring.significance import homogeneity, never_before, psi_interval

LIMITS = DriftLimits()


def test_identical_counts_have_no_distance():
    assert population_stability_index([10, 20, 30], [10, 20, 30]) == pytest.approx(0)
    assert population_stability_index([1000, 2000], [10, 20]) == pytest.approx(0, abs=1e-3)


def test_the_index_is_the_textbook_sum():
    expected = (0.7 - 0.5) * math.log(0.7 / 0.5) + (0.3 - 0.5) * math.log(0.3 / 0.5)
    assert population_stability_index([50000, 50000], [70000, 30000]) == pytest.approx(
        expected, rel=1e-3
    )


def test_an_empty_bin_gives_a_large_number_not_infinity():
    assert 1 < population_stability_index([1000, 0], [0, 1000]) < 50


def test_an_empty_bin_counts_as_half_a_row():
    expected = 2 * (1000.5 - 0.5) / 1001 * math.log(1000.5 / 0.5)
    assert population_stability_index([1000, 0], [0, 1000]) == pytest.approx(expected)


def test_different_bins_cannot_be_compared():
    with pytest.raises(ValueError, match="2 bins against 3"):
        population_stability_index([1, 2], [1, 2, 3])


def test_codes_get_a_bin_each_even_those_not_seen_at_training():
    edges = choose_edges([-2.0, -1.0, 0.0, 2.0])
    assert edges == (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
    reference = build_reference("status", [-2.0, 0.0, 0.0, 2.0, math.nan])
    assert reference.counts == (1, 0, 1, 0, 2, 0, 1, 0)


def test_continuous_values_get_deciles():
    edges = choose_edges([float(i) / 7 for i in range(1000)])
    assert len(edges) == 9


def test_a_variable_that_was_never_known_has_a_bin_for_being_missing():
    reference = build_reference("x", [math.nan] * 5)
    assert reference.counts == (5, 0)
    drift = compare(reference, [0, 5])
    assert (drift.reference_missing_share, drift.missing_share) == (1.0, 0.0)
    assert drift.psi > LIMITS.drift_psi


def edges_by_definition(values):
    """The edges in plain Python, value by value."""
    known = sorted(value for value in values if not math.isnan(value))
    if not known:
        return ()
    low, high = known[0], known[-1]
    if high - low <= MAX_INTEGER_BINS and all(value == int(value) for value in known):
        return tuple(float(edge) for edge in range(int(low), int(high) + 2))
    cuts = [known[len(known) * i // QUANTILE_BINS] for i in range(1, QUANTILE_BINS)]
    return tuple(sorted(set(cuts)))


def counts_by_definition(values, edges):
    """The rows per bin in plain Python."""
    found = [0 if math.isnan(value) else bisect.bisect_right(edges, value) + 1 for value in values]
    return tuple(found.count(bin_) for bin_ in range(len(edges) + 2))


def samples():
    chance = random.Random(11)
    nothing = math.nan
    yield from ([], [nothing], [0.0], [0.1], [math.inf], [-math.inf, 1.0, math.inf], [3.0] * 7)
    yield from ([0.0, -0.0, 0.5, -0.0], [-0.0, 0.0, 0.5, 30.0], [-20.0, 0.0], [-20.0, 0.5, 1.0])
    yield [1e300, -1e300, 5e-324, nothing]
    for rows in (1, 9, 10, 11, 997):
        yield [chance.choice([-2.0, 0.0, 4.0, nothing]) for _ in range(rows)]
        yield [chance.choice([chance.gauss(0, 1), 0.0, -0.0, nothing]) for _ in range(rows)]
        yield [chance.uniform(0, 1e6) for _ in range(rows)]
        yield [float(chance.randint(0, 40)) for _ in range(rows)]


@pytest.mark.parametrize("values", samples(), ids=lambda values: str(len(values)))
@pytest.mark.parametrize("given_as", [list, tuple, np.array], ids=["list", "tuple", "array"])
def test_a_reference_is_to_the_bit_what_the_definition_gives(values, given_as):
    given = given_as(values)
    reference = build_reference("x", given)
    expected = edges_by_definition(values)
    assert json.dumps(reference.edges) == json.dumps(expected)
    assert json.dumps(reference.counts) == json.dumps(counts_by_definition(values, expected))
    assert choose_edges(given) == expected
    others = (-1.0, 0.0, 2.5)
    assert build_reference("x", given, others).counts == counts_by_definition(values, others)


def test_the_sql_bins_count_as_the_reference_does(spark):
    values = [-2.0, -1.5, 0.0, 0.5, 2.0, 9.0, math.nan]
    for known in (values, [v / 3 for v in range(200)], [math.nan]):
        reference = build_reference("x", list(known))
        rows = [(None if math.isnan(v) else float(v),) for v in known]
        counted = spark.createDataFrame(rows, "x double").selectExpr(
            *(
                f"count_if({condition}) as b{i}"
                for i, condition in enumerate(bin_conditions(reference))
            )
        )
        assert tuple(counted.collect()[0]) == reference.counts


def test_codes_never_seen_are_counted_and_values_out_of_range_are_too():
    coded = build_reference("code", [0.0, 1.0, 3.0] * 1000)
    found = compare(coded, build_reference("code", [0.0, 2.0, 3.0, 4.0] * 250, coded.edges).counts)
    assert (found.unseen_share, found.missing_share) == (0.5, 0.0)
    assert found.unseen_chance < 1e-100
    number = build_reference("x", np.linspace(0, 1, 1000))
    assert (number.low, number.high, number.is_coded) == (0.0, 1.0, False)
    assert compare(number, number.counts, breaches=300).breach_share == 0.3


def test_a_large_index_of_few_rows_is_no_drift_and_neither_is_what_the_season_brings():
    before = build_reference("x", np.linspace(0, 1, 12))
    few = compare(before, build_reference("x", np.linspace(0.3, 1.3, 12), before.edges).counts)
    assert few.psi > 0.25
    assert few.psi_low < 0.25
    assert not DriftReport(12, (few,), DriftLimits(min_rows=1)).moved()
    wide = build_reference("x", np.linspace(0, 1, 5000))
    counts = build_reference("x", np.linspace(0.5, 1.5, 5000), wide.edges).counts
    assert DriftReport(5000, (compare(wide, counts),), LIMITS).moved()
    assert not DriftReport(5000, (compare(wide, counts, season=counts),), LIMITS).moved()


def test_nothing_in_common_is_one_bit():
    assert jensen_shannon([10, 0], [0, 10]) == pytest.approx(1.0)
    assert jensen_shannon([10, 20], [100, 200]) == pytest.approx(0.0)


def found(name="x", psi=1.0, chance=0.0):
    """A variable that moved by so much, with this probability by chance."""
    reference = build_reference(name, np.linspace(0, 1, 100))
    return replace(compare(reference, reference.counts), psi=psi, psi_chance=chance)


def test_a_distance_that_is_not_a_number_counts_as_the_largest():
    report = DriftReport(5000, (found("x", 0.3), found("y", math.nan), found("z", 3.0)), LIMITS)
    assert [v.variable for v in report.moved()] == ["y", "z", "x"], "worst first"
    assert report.max_psi == math.inf


def test_the_more_variables_are_looked_at_the_less_is_believed_of_each():
    """So that a false alarm in a partition is as rare with forty variables as with one."""
    chance = LIMITS.alpha / 5
    assert DriftReport(5000, (found(chance=chance),), LIMITS).moved()
    assert not DriftReport(5000, (found(chance=chance),) * 2, LIMITS).moved()


def test_a_value_outside_the_range_of_a_code_is_unseen_and_not_out_of_range_as_well():
    assert breach_condition(build_reference("code", [0.0, 1.0, 3.0])) == "false"
    assert breach_condition(build_reference("x", [math.nan])) == "false"
    assert "`x` > 1.0D" in breach_condition(build_reference("x", np.linspace(0, 1, 100)))


def test_what_chance_adds_is_taken_off_the_interval_of_an_index():
    counts, noise = [500] * 10, 2 / 5000
    low, high = psi_interval(9 * noise, counts, counts)
    assert (low, high) == (0.0, pytest.approx(noise * 1.959964 * math.sqrt(18)))


def test_bins_with_too_few_rows_to_test_are_taken_together():
    assert homogeneity([1000, 1, 0, 0], [1000, 0, 1, 0]) == 1.0
    assert homogeneity([1000, 30], [1000, 130]) < 1e-9


def test_each_further_row_with_a_new_value_makes_chance_less_likely():
    assert never_before(1000, 1000, 0) == 1.0
    assert never_before(1000, 1000, 3) == pytest.approx(1 / 8)
