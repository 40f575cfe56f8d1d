"""Leaks and copies are found; what repeats or ranks well by nature is not taken for one."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from finance_assets.ml.repetition import repetition
from finance_assets.ml.tasks.binary.probes import alone, unique_gains

FEATURES = ("status", "worst", "amount", "limit")
MONTHS = ("2005-04", "2005-05", "2005-06", "2005-07")


def history(accounts=4000, seed=1) -> dict[str, pd.DataFrame]:
    """Accounts over months: one in ten is idle and repeats itself, limits hardly ever change."""
    random = np.random.default_rng(seed)
    limit = random.choice([20_000.0, 50_000.0, 100_000.0], accounts)
    idle = random.random(accounts) < 0.1
    status, months = random.integers(0, 4, accounts), {}
    for month in MONTHS:
        worst = status
        status = np.clip(status + random.integers(-1, 2, accounts), 0, 5)
        frame = pd.DataFrame({"account": range(accounts), "month": month, "limit": limit})
        frame["status"] = status.astype("float64")
        frame["worst"] = np.maximum(status, worst).astype("float64")
        frame["amount"] = np.where(idle, 0.0, random.integers(1, 100_000, accounts))
        frame["bill"] = np.where(idle, 0.0, random.integers(1, 100_000, accounts))
        frame["change"] = np.where(idle, 0.0, random.normal(size=accounts))
        frame["bad"] = (random.random(accounts) < status / 8).astype("int8")
        months[month] = frame
    return months


def split(months):
    *before, last = months.values()
    return pd.concat(before, ignore_index=True), last


def leaking(frame, kind, seed):
    """The outcome in the place of a feature, more or less hidden."""
    random, bad = np.random.default_rng(seed), frame["bad"].to_numpy("float64")
    shown, flipped = random.random(len(frame)), random.random(len(frame)) < 0.1
    leaks = {
        "itself": bad,
        "a tenth flipped": np.where(flipped, 1 - bad, bad),
        "a third, else nothing": np.where(shown < 1 / 3, bad, np.nan),
        "a third, else zero": np.where(shown < 1 / 3, bad, 0.0),
        "a third, else a coin": np.where(shown < 1 / 3, bad, random.integers(0, 2, len(frame))),
        "a fifth, else zero": np.where(shown < 1 / 5, bad, 0.0),
        "with noise": bad / 3 + random.normal(size=len(frame)) * 0.3,
    }
    return frame.assign(amount=leaks[kind])


def test_honest_features_stand_in_for_each_other():
    trained, held = split(history())
    lost = unique_gains(trained, held, FEATURES, "bad")
    assert max(lost[name] for name in ("worst", "amount", "limit")) < 0.01


@pytest.mark.parametrize("rows", [1200, 600, 300])
def test_few_rows_accuse_no_honest_feature(rows):
    trained, held = split(history())
    lost = unique_gains(trained.iloc[:rows], held.iloc[:rows], FEATURES, "bad")
    assert max(lost.values()) < 0.01, lost


@pytest.mark.parametrize(
    "kind",
    [
        "itself",
        "a tenth flipped",
        "a third, else nothing",
        "a third, else zero",
        "a third, else a coin",
        "a fifth, else zero",
        "with noise",
    ],
)
def test_the_outcome_has_no_stand_in_however_it_is_hidden(kind):
    trained, held = (leaking(frame, kind, n) for n, frame in enumerate(split(history())))
    lost = unique_gains(trained, held, FEATURES, "bad")
    assert lost["amount"] > 0.01
    assert max(lost, key=lambda name: lost[name]) == "amount"


def test_a_leak_that_is_there_twice_does_not_stand_in_for_itself():
    trained, held = (
        leaking(frame, "a third, else zero", n).assign(again=lambda f: f["amount"] * 2 + 1)
        for n, frame in enumerate(split(history()))
    )
    lost = unique_gains(trained, held, (*FEATURES, "again"), "bad")
    assert min(lost["amount"], lost["again"]) > 0.01


def test_a_feature_alone_is_measured_in_its_better_direction_missing_values_included():
    _, held = split(history())
    held.loc[::5, "status"] = np.nan
    outcome = held["bad"].to_numpy("float64")
    found = alone(held.assign(mirrored=-held["worst"]), ("worst", "mirrored", "status"), outcome)
    assert found["mirrored"] == pytest.approx(found["worst"])
    assert 0.5 <= found["status"] < found["worst"]


BROAD = (*FEATURES, "bill", "change")


def test_idle_accounts_and_unchanging_limits_are_no_copies():
    found = repetition(*split(history()), "month", BROAD)
    assert found.excess < 0.05


def test_idle_accounts_are_no_copies_though_a_feature_was_unknown_in_the_first_month():
    months = {month: rows for month, rows in history().items() if month >= "2005-05"}
    # A third of the accounts is idle: nothing owed, nothing changes.
    for rows in months.values():
        rows.loc[rows.index % 3 == 0, ["bill", "change"]] = 0.0
    months["2005-05"]["change"] = np.nan
    assert repetition(*split(months), "month", BROAD).excess < 0.05


@pytest.mark.parametrize("original", MONTHS[:3])
def test_a_month_delivered_again_as_the_next_is_found_though_trends_differ(original):
    months = history()
    # Trends are made anew, from what came before: they do not repeat.
    fresh = months["2005-07"][["change", "worst"]]
    months["2005-07"] = months[original].assign(month="2005-07", **fresh)
    found = repetition(*split(months), "month", BROAD)
    assert found.partition == original
    assert found.excess > 0.7


def test_copies_under_other_account_numbers_and_in_another_order_are_found():
    months = history()
    copied = months["2005-06"].sample(frac=1, random_state=3).reset_index(drop=True)
    months["2005-07"] = copied.assign(month="2005-07", account=range(10_000, 14_000))
    assert repetition(*split(months), "month", BROAD).excess > 0.7


@pytest.mark.parametrize("times", [2, 3, 10])
def test_rows_that_are_copied_several_times_each_are_found_too(times):
    months = history()
    some = months["2005-06"].iloc[: 4000 // times]
    copied = pd.concat([some] * times, ignore_index=True)
    months["2005-07"] = copied.assign(month="2005-07", account=range(10_000, 10_000 + len(copied)))
    assert repetition(*split(months), "month", BROAD).excess > 0.7


def test_a_training_month_that_came_double_does_not_hide_copies():
    months = history()
    months["2005-05"] = pd.concat([months["2005-05"]] * 2, ignore_index=True)
    months["2005-07"] = months["2005-06"].assign(month="2005-07")
    assert repetition(*split(months), "month", BROAD).excess > 0.7


def test_a_fifth_of_copied_rows_is_found():
    months = history()
    some = months["2005-06"].sample(800, random_state=1).assign(month="2005-07")
    months["2005-07"] = pd.concat([some, months["2005-07"].iloc[800:]], ignore_index=True)
    assert repetition(*split(months), "month", BROAD).excess > 0.1


def test_with_a_single_training_month_copies_are_found_too():
    months = {month: rows for month, rows in history().items() if month >= "2005-06"}
    assert repetition(*split(months), "month", BROAD).excess < 0.05
    months["2005-07"] = months["2005-06"].assign(month="2005-07")
    assert repetition(*split(months), "month", BROAD).excess > 0.7


def test_without_telling_features_whole_rows_are_compared():
    found = repetition(*split(history()), "month", ("status", "limit"))
    assert found.features == ("status", "limit")
    assert found.excess < 0.05


def usually_shared(trained, features):
    """The usual share by its definition: partition by partition, value by value."""
    rows = {month: list(map(tuple, part[features].to_numpy())) for month, part in trained}
    within = min(sum(part.count(row) > 1 for row in part) / len(part) for part in rows.values())
    between = [
        sum(row in set(rows[before]) for row in part) / len(part)
        for month, part in rows.items()
        for before in rows
        if before < month
    ]
    return max([within, *between])


@pytest.mark.parametrize("seed", range(8))
def test_what_is_usual_is_the_most_that_a_partition_repeats_of_an_earlier_one(seed):
    random = np.random.default_rng(seed)
    months = [f"{number:03}" for number in range(random.integers(1, 12))]
    # Some values are in most months, some in few, some are unknown.
    frames = []
    for month in [*months, "held"]:
        rows = int(random.integers(20, 60))
        values = random.integers(0, 10 ** random.integers(1, 4), (rows, 2)).astype("float64")
        values[random.random(rows) < 0.3] = -1.0
        frames.append(pd.DataFrame(values, columns=["a", "b"]).assign(month=month))
    trained, held = pd.concat(frames[:-1], ignore_index=True), frames[-1]
    found = repetition(trained, held, "month", ("a", "b"))
    assert found.features == ("a", "b")
    assert found.usual == usually_shared(trained.groupby("month"), ["a", "b"])


def test_unchanged_rows_of_many_partitions_take_no_memory_for_each_pair_of_partitions():
    unchanged = np.arange(300.0)
    frames = [
        pd.DataFrame({"day": f"{day:03}", "a": unchanged, "b": unchanged}) for day in range(150)
    ]
    trained = pd.concat(frames, ignore_index=True)
    tracemalloc.start()
    found = repetition(trained, frames[0], "day", ("a", "b"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found.share, found.usual) == (1.0, 1.0)
    # The pairs would be 3.4 million rows, 100 MB and more; the rows themselves are 2 MB.
    assert peak < 25e6
