"""Calendars and label lags, from tables to predictions, on a small use case of every kind."""

import shutil
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from finance_assets.calendar import Calendar, Frequency
from finance_assets.errors import DeclarationError, HistoryError, ModelError, TooEarlyError
from finance_assets.ml.frames import Dataset
from finance_assets.ml.splits import first_as_of, split_as_of
from finance_assets.ml.tasks.binary.auc import auc
from finance_assets.ml.training import declared_recipe, train_here
from finance_assets.model_life.chain import read_history
from finance_assets.step.foresight import require_no_foresight
from finance_assets_tests.shop import (
    CANDIDATE,
    CANDIDATE_ONLY,
    CUSTOMERS,
    FEATURES,
    LABELS,
    MODEL,
    NAME,
    NO_LABELS,
    PREDICTIONS,
    SCORING,
    TABLES,
    Shop,
    ShopRunner,
)

DAYS = Calendar(Frequency.daily, "2024-02-27", "2024-03-03", timezone="Europe/Berlin")
WEEKS = Calendar(Frequency.weekly, "2024-12-16", "2025-01-20", timezone="America/New_York")
MONTHS = Calendar(Frequency.monthly, "2024-10", "2025-03")


@pytest.mark.parametrize(
    ("calendar", "lag"),
    [(DAYS, 0), (WEEKS, 1), (MONTHS, 2)],
    ids=["daily, lag 0", "weekly, lag 1", "monthly, lag 2"],
)
def test_a_model_learns_of_what_was_known_then_and_scores_what_comes_after(
    settings, spark, calendar, lag
):
    shop = ShopRunner(Shop(calendar, lag), settings, spark)
    names = calendar.partitions()
    gap = max(lag - 1, 0)
    as_of, after = names[3 + gap], names[4 + gap]
    shop.run(TABLES, names[0], as_of)
    shop.run(MODEL, as_of)
    [candidate] = shop.rows(CANDIDATE)
    held_out = names[3 + gap - lag]
    train = calendar.window(names[0], names[2 - lag])
    assert (candidate["train_window"], candidate["holdout_window"]) == (str(train), held_out)
    assert candidate["train_rows"] == CUSTOMERS * len(list(train))
    [measured] = shop.rows(
        "models.shop_evaluation",
        lambda r: (r["role"], r["segment"], r["metric"]) == ("candidate", "all", "rows"),
    )
    assert measured["value"] == CUSTOMERS
    [event] = read_history(shop.lakehouse, NAME).events
    assert event.effective_from == after
    shop.run(TABLES, after)
    shop.run(SCORING, as_of, after)
    scored = {row["seen"] for row in shop.rows(PREDICTIONS)}
    assert scored == {after}, "the candidate's own partition was decided before it"
    assert len(shop.rows(PREDICTIONS)) == CUSTOMERS
    drift = shop.rows("monitoring.shop_drift")
    assert {row["seen"] for row in drift} == {after}


@pytest.mark.parametrize("lag", [0, 1, 2])
@pytest.mark.parametrize("blind", [0, 1, 2], ids=["first", "middle", "holdout"])
def test_a_partition_without_outcomes_stops_the_training(settings, spark, lag, blind):
    names, gap = MONTHS.partitions(), max(lag - 1, 0)
    missing = (names[0], names[1], names[2 + gap])[blind]
    shop = ShopRunner(Shop(MONTHS, lag, blind=(missing,)), settings, spark)
    as_of = names[2 + lag + gap]
    shop.run(TABLES, names[0], as_of)
    with pytest.raises(HistoryError, match=f"no outcome is known of any row of {missing}"):
        shop.run(MODEL, as_of)
    assert not shop.lakehouse.history(CANDIDATE).exists


def test_labels_that_were_never_made_stop_the_training(settings, spark):
    shop = ShopRunner(Shop(WEEKS, 1), settings, spark)
    names = WEEKS.partitions()
    shop.run(TABLES, names[0], names[1])
    shop.run(TABLES, names[3])
    with pytest.raises(HistoryError, match=f"never published\n.*{FEATURES}, {names[2]}"):
        shop.run(MODEL, names[3])
    shop.run(NO_LABELS, names[2])
    with pytest.raises(HistoryError, match=f"never published\n.*{LABELS}, {names[2]}"):
        shop.run(MODEL, names[3])


def test_outcomes_that_come_later_than_declared_stop_the_training(settings, spark):
    shop = ShopRunner(Shop(MONTHS, 2, declared_lag=1), settings, spark)
    names = MONTHS.partitions()
    shop.run(TABLES, names[0], names[3])
    with pytest.raises(HistoryError, match=f"of {names[2]}\n(.|\n)*1 partitions that label_lag"):
        shop.run(MODEL, names[3])


@pytest.mark.parametrize("lag", [0, 1, 2])
def test_as_of_a_partition_too_early_says_from_which_on(settings, spark, lag):
    shop = ShopRunner(Shop(DAYS, lag), settings, spark)
    names, gap = DAYS.partitions(), max(lag - 1, 0)
    with pytest.raises(TooEarlyError, match=f"train as of {names[1 + lag + gap]} or later"):
        shop.run(MODEL, names[lag + gap])


@pytest.mark.parametrize("lag", [0, 2])
def test_a_future_that_nobody_could_know_changes_no_byte(
    settings, spark, tmp_path, mlflow_store, lag
):
    names, gap = DAYS.partitions(), max(lag - 1, 0)
    digests = []
    for number, changed_from in enumerate(("9999", names[4 + gap])):
        home = settings.model_copy(update={"home": tmp_path / str(number)})
        home.__dict__.pop("root", None)
        home.prepare_home()
        shutil.copy(mlflow_store, home.root / "mlflow" / "mlflow.db")
        shop = ShopRunner(Shop(DAYS, lag, changed_from=changed_from), home, spark)
        shop.run(TABLES, names[0], names[5])
        shop.run(CANDIDATE_ONLY, names[3 + gap])
        events = shop.rows("silver.shop_events", lambda row: row["seen"] == names[4 + gap])
        [candidate] = shop.rows(CANDIDATE)
        digests.append((candidate["artifact_sha256"], sum(row["spent"] for row in events)))
    (before, spent), (after, spent_otherwise) = digests
    assert spent != spent_otherwise
    assert before == after


def growing_days():
    """An open calendar of days that grow, of which today is the fifth."""
    days = Calendar(
        Frequency.daily,
        "2020-01-01",
        timezone="Pacific/Auckland",
        is_growing=True,
        due_after=timedelta(0),
    )
    today = days.partitions()[-1]
    return replace(days, first=days.shift(today, -4)), today


def test_a_partition_that_grows_is_published_and_scored_again_and_not_trained_as_of(
    settings, spark
):
    calendar, today = growing_days()
    names = calendar.partitions()
    assert names[-1] == today
    assert len(names) == 5
    shop = ShopRunner(Shop(calendar, 0, arrived={today: 300}), settings, spark)
    shop.run(TABLES, names[0], today)
    assert not calendar.is_settled(names[3]), "the last run of yesterday may still come"
    shop.run(MODEL, names[3])
    shop.run(SCORING, today)
    assert len(shop.rows(PREDICTIONS)) == 300
    with pytest.raises(TooEarlyError, match=f"as of {today} the partition still grows"):
        shop.run(MODEL, today)
    grown = ShopRunner(replace(shop.shop, arrived={today: 700}), settings, spark)
    grown.run(TABLES, today)
    grown.run(SCORING, today)
    assert len(grown.rows(PREDICTIONS)) == 700
    assert len(grown.rows(FEATURES)) == 4 * CUSTOMERS + 700


@pytest.mark.parametrize("lag", [0, 1, 2, 3])
@pytest.mark.parametrize("holdout", [1, 2])
@pytest.mark.parametrize(("needed", "warm_up"), [(1, 0), (3, 0), (1, 2)])
def test_what_is_known_as_of_a_partition_is_learned_from_and_held_out_with_no_outcome_in_common(
    lag, holdout, needed, warm_up
):
    for calendar in (MONTHS, DAYS, WEEKS):
        longer = replace(calendar, last=calendar.shift(calendar.first, 11))
        names = longer.partitions()
        spec = replace(
            Shop(longer, lag).model(),
            holdout_partitions=holdout,
            min_train_partitions=needed,
            warm_up_partitions=warm_up,
        )
        gap = max(lag - 1, 0)
        earliest = warm_up + lag + gap + holdout + needed - 1
        assert first_as_of(longer, spec) == names[earliest]
        for place, as_of in enumerate(names):
            if place < earliest:
                with pytest.raises(TooEarlyError):
                    split_as_of(longer, spec, as_of)
                continue
            split = split_as_of(longer, spec, as_of)
            known = [p for p in names if longer.shift(p, lag) <= as_of][warm_up:]
            between = known[len(known) - holdout - gap : len(known) - holdout]
            assert [*split.train, *between, *split.holdout] == list(split.rows) == known
            # What is learned is known before anything happens that is held out.
            assert longer.shift(split.train.last, lag) <= split.holdout.first
            assert len(list(split.holdout)) == holdout
            assert split.matured.last == as_of


def test_a_model_that_only_knows_who_is_who_foresees_nothing_where_outcomes_overlap():
    """Who leaves within three months is chance, and the features are noise that names a customer.

    A row of the month before a held-out one shares two months of its outcome: learned from, it
    would give the noise an AUC of 0.6.
    """
    calendar = replace(MONTHS, last="2025-09")
    deep = {"learning_rate": 0.3, "max_depth": 12, "min_child_weight": 0.0}
    spec = replace(Shop(calendar, 3).model(), params=deep, rounds=30)
    names, random = calendar.partitions(), np.random.default_rng(5)
    noise, happens = random.normal(size=(2, 2000)), random.random((len(names) + 3, 2000)) < 0.1
    panel = pd.concat(
        pd.DataFrame(
            {
                "seen": name,
                "spent": noise[0],
                "visits": noise[1],
                "left": happens[place + 1 : place + 4].any(axis=0).astype("int8"),
            }
        )
        for place, name in enumerate(names)
    )
    split = split_as_of(calendar, spec, names[-1])
    learned, held = (panel[panel["seen"].isin(list(w))] for w in (split.train, split.holdout))
    recipe = declared_recipe(spec, split, Dataset("", {}), is_searched=False)
    model = train_here(recipe, learned)
    # Three standard errors of an AUC that is one half.
    assert auc(held["left"].to_numpy(), model.predict(model.inputs(held))) < 0.5 + 3 * 0.0148


@pytest.mark.parametrize(
    ("lag", "change", "named"),
    [
        (1, {"label_lag": 0}, "label_lag: is 0, but labels.shop_labels is partitioned by known"),
        (0, {"label_lag": 1}, "label_lag: is 1, but labels.shop_labels is partitioned by seen"),
        (1, {"label_lag": -1}, "label_lag: is -1"),
        (1, {"holdout_partitions": 0}, "holdout_partitions: is 0"),
        (1, {"min_train_partitions": 0}, "min_train_partitions: is 0"),
        (1, {"warm_up_partitions": -1}, "warm_up_partitions: is -1"),
    ],
)
def test_a_model_whose_time_contradicts_its_tables_does_not_load(lag, change, named):
    with pytest.raises(DeclarationError, match=named):
        replace(Shop(MONTHS, lag).model(), **change)


@pytest.mark.parametrize("lag", [0, 1, 2])
def test_a_feature_of_the_partition_in_which_the_outcome_shows_does_not_load(lag):
    """What the outcome is made of may be a feature only before it is known."""
    use_case = Shop(MONTHS, lag).use_case()
    ingest, source, features, *others = use_case.steps
    columns = tuple(
        replace(c, derived_from=(f"{source.key}.has_left",)) if c.name == "visits" else c
        for c in features.contract.columns
    )
    contract = replace(features.contract, columns=columns)
    knowing = replace(features, contract=contract)
    spec = replace(use_case.model, features=contract)
    if lag:
        require_no_foresight((ingest, source, knowing, *others), spec)
        return
    with pytest.raises(ModelError, match="feature visits of shop knows the outcome"):
        require_no_foresight((ingest, source, knowing, *others), spec)
