"""How groups fare: counted by hand, intersections included, and no alarm about nothing."""

import tracemalloc
from itertools import combinations

import numpy as np
import pytest

from finance_assets.ml.grouping import groupings
from finance_assets.ml.tasks.binary import criteria
from finance_assets.ml.tasks.binary.groups import compare_groups
from finance_assets_tests.ml.evidence import EVIDENCE, assessed


def one(attributes, outcome, flagged, min_rows=10):
    """The gaps at a single threshold, for decisions that are given."""
    return compare_groups(attributes, outcome, flagged.astype("float64"), (0.5,), min_rows)


def verdict(gaps, **bounds):
    from dataclasses import replace

    return criteria.Fairness(**bounds).judge(replace(EVIDENCE, **assessed(gaps=gaps)))


def test_groups_are_counted_against_the_best_off_not_against_the_largest():
    groups = np.array(["a"] * 1000 + ["b"] * 500 + ["c"] * 9)
    outcome = np.zeros(1509)
    outcome[:200] = 1
    flagged = np.zeros(1509, dtype=bool)
    flagged[:400] = True  # 60 % of a are favoured, 75 % of its deserving
    flagged[1000:1050] = True  # 90 % of b
    [gap], small = one({"letter": groups}, outcome, flagged)
    assert (gap.group, gap.reference, gap.rows) == ("letter=a", "letter=b", 1000)
    assert gap.ratio.value == pytest.approx(0.6 / 0.9)
    assert gap.opportunity_gap.value == pytest.approx(0.75 - 0.9)
    assert gap.ratio.low < gap.ratio.value < gap.ratio.high < 1
    assert small == {"letter=c": 9}


def test_the_largest_group_flagged_at_60_percent_against_10_does_not_pass():
    sex = np.array(["female"] * 6000 + ["male"] * 4000)
    random = np.random.default_rng(1)
    flagged = random.random(10_000) < np.where(sex == "female", 0.6, 0.1)
    gaps, _ = one({"sex": sex}, np.zeros(10_000), flagged)
    found = verdict(gaps)
    assert not found.is_passed
    assert "sex=female" in found.observed


def test_an_intersection_that_no_single_attribute_shows_does_not_pass():
    """Men under 25 and women over 25 are flagged, each attribute by itself is even."""
    sex = np.array(["female", "male"] * 4000)
    age = np.array(["under 25"] * 4000 + ["over 25"] * 4000)
    hit = (sex == "male") == (age == "under 25")
    flagged = np.random.default_rng(2).random(8000) < np.where(hit, 0.4, 0.1)
    attributes = {"sex": sex, "age": age}
    single, _ = compare_groups({"sex": sex}, np.zeros(8000), flagged * 1.0, (0.5,), 300)
    assert verdict(single).is_passed
    gaps, _ = one(attributes, np.zeros(8000), flagged)
    found = verdict(gaps)
    assert not found.is_passed
    assert "sex=male, age=under 25" in found.observed


def test_every_threshold_counts():
    """Decided alike from 0.4 on, and not at all alike from 0.2 on."""
    group = np.array(["a", "b"] * 3000)
    score = np.where(group == "a", 0.3, 0.1)
    score[:1000] = 0.5
    high, _ = compare_groups({"group": group}, np.zeros(6000), score, (0.4,), 300)
    both, _ = compare_groups({"group": group}, np.zeros(6000), score, (0.2, 0.4), 300)
    assert not verdict(both).is_passed
    assert verdict(high).is_passed


def test_many_groups_that_are_treated_alike_raise_no_alarm():
    """Choosing the best-off of 40 groups by looking must not make the others look worse."""
    alarms = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        groups = random.integers(0, 40, 8000).astype(str)
        gaps, _ = one({"group": groups}, np.zeros(8000), random.random(8000) < 0.3, 50)
        alarms += any(g.ratio.high < 1 or g.opportunity_gap.high < 0 for g in gaps)
    # 5 % of 200 at most; three standard deviations more.
    assert alarms <= 19


def test_a_group_of_which_nobody_is_favoured_gives_no_number_instead_of_an_error():
    groups = np.array(["a"] * 200 + ["b"] * 100)
    gaps, _ = one({"letter": groups}, np.zeros(300), np.ones(300, dtype=bool))
    assert all(np.isnan(gap.ratio.value) for gap in gaps)
    with pytest.raises(ValueError, match="figure of letter="):
        verdict(gaps)


def test_a_group_without_deserving_members_cannot_be_judged():
    groups = np.array(["a"] * 200 + ["b"] * 100)
    outcome = np.array([0.0] * 200 + [1.0] * 100)
    gaps, _ = one({"letter": groups}, outcome, np.arange(300) % 2 == 0)
    with pytest.raises(ValueError, match="figure of letter="):
        verdict(gaps)


@pytest.mark.parametrize("rows", [1, 40, 500])
def test_every_row_is_in_the_group_that_its_values_name_and_groups_are_in_the_order_of_names(rows):
    random = np.random.default_rng(rows)
    # One value is the beginning of another: the order is that of whole names.
    values = np.array(["a", "a b", "a, b", "é", "10", "9"], dtype=object)
    attributes = {name: random.choice(values, rows) for name in ("one", "two", "three", "four")}
    found = {one.attribute: one for one in groupings(attributes)}
    chosen = [c for size in (1, 2, 3) for c in combinations(attributes, size)]
    assert list(found) == [", ".join(names) for names in chosen]
    for names in chosen:
        labels = [
            ", ".join(f"{n}={v}" for n, v in zip(names, row, strict=True))
            for row in zip(*(attributes[n] for n in names), strict=True)
        ]
        one = found[", ".join(names)]
        assert [one.names[code] for code in one.codes] == labels
        assert one.names == sorted(set(labels))


def test_groups_of_many_rows_take_a_number_for_each_row_and_no_text():
    random = np.random.default_rng(1)
    words = np.array([f"a value of some length, number {n}" for n in range(9)], dtype=object)
    attributes = {name: random.choice(words, 20_000) for name in ("one", "two", "three")}
    tracemalloc.start()
    for one in groupings(attributes):
        assert len(one.codes) == 20_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # As fixed-width text the rows of the last set of attributes alone took 11 MB.
    assert peak < 4e6
