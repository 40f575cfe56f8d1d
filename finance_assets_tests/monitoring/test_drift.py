"""Drift against values worked out by hand, and the verdicts that follow."""

import bisect
import json
import math
import random

import numpy as np
import pytest

from finance_assets.monitoring.drift import (
    MAX_INTEGER_BINS,
    QUANTILE_BINS,
    DriftLimits,
    DriftReport,
    DriftVerdict,
    VariableDrift,
    bin_conditions,
    build_reference,
    choose_edges,
    compare,
    population_stability_index,
)

LIMITS = DriftLimits()


def report(psi: float, rows: int = 5000) -> DriftReport:
    return DriftReport(rows, (VariableDrift("x", psi, 0.0, 0.0),), LIMITS)


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


@pytest.mark.parametrize(
    ("psi", "rows", "verdict"),
    [
        (0.0, 5000, DriftVerdict.stable),
        (0.1, 5000, DriftVerdict.warning),
        (0.25, 5000, DriftVerdict.drift),
        (math.nan, 5000, DriftVerdict.drift),
        (9.0, 999, DriftVerdict.too_few_rows),
    ],
)
def test_the_verdict_follows_the_limits(psi, rows, verdict):
    assert report(psi, rows).verdict == verdict


def test_without_a_champion_nothing_is_compared():
    assert DriftReport(0, (), LIMITS).verdict == DriftVerdict.no_champion
