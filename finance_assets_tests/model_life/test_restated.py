"""Data restated since a champion was crowned: which decision of the gate answers that."""

import shutil
from dataclasses import replace

from deltalake import DeltaTable

from finance_assets.ml.training import train, train_here
from finance_assets.model_life.restated import restated_since
from finance_assets.steps import training as training_step
from finance_assets_tests.model_life.models import context, decision, history, run_model_steps
from finance_assets_tests.model_life.test_model_life import EASY, STRICT, champion_as_of_june
from finance_assets_tests.scenario import (
    APRIL,
    AUGUST,
    CALENDAR,
    FEATURES,
    LABELS,
    MAY,
    deliver_sample,
)


def restated(runner):
    found, ctx = history(runner), context(runner)
    return restated_since(ctx.lakehouse, ctx.registry, CALENDAR, EASY, found, found.newest)


def with_another_seed(recipe, rows):
    """A model that its recipe does not give."""
    return train_here(replace(recipe, params={**recipe.params, "seed": 7}), rows.frame)


def test_only_a_candidate_that_was_turned_down_for_what_it_is_worth_answers_restated_data(
    runner, homes, monkeypatch
):
    homes.copy(runner, "champion_as_of_june", champion_as_of_june)
    assert restated(runner) == ()
    deliver_sample(runner.settings.landing, 1900, [APRIL])
    runner.run_tables(APRIL, AUGUST)
    held = restated(runner)
    assert f"{APRIL}, {MAY} changed since v1 was trained" in held[0]

    # Worth nothing either, but what the gate saw is no model of the restated data.
    monkeypatch.setattr(training_step, "train", with_another_seed)
    run_model_steps(runner, AUGUST, STRICT)
    assert decision(runner, AUGUST) == ("turned_down", ["discrimination", "artifact"])
    assert restated(runner) == held

    monkeypatch.setattr(training_step, "train", train)
    run_model_steps(runner, AUGUST, replace(STRICT, rounds=STRICT.rounds + 1))
    assert decision(runner, AUGUST) == ("turned_down", ["discrimination"])
    assert restated(runner) == ()


def delivered_again(runner, accounts):
    """April as it came with some of the accounts, and all that rests on it."""
    deliver_sample(runner.settings.landing, accounts, [APRIL])
    runner.run_tables(APRIL, AUGUST)


def test_a_wrong_correction_that_is_taken_back_has_changed_nothing(runner, homes):
    homes.copy(runner, "champion_as_of_june", champion_as_of_june)
    delivered_again(runner, 1900)
    assert f"{APRIL}, {MAY} changed since v1 was trained" in restated(runner)[0]
    delivered_again(runner, 2000)
    assert restated(runner) == ()
    # What another writer did in between may be what was learned from.
    table = DeltaTable(str(runner.lakehouse.path(FEATURES)))
    month = EASY.features.partition_column
    table.delete(f"{month} = '{MAY}' AND account_id = '1'")
    runner.run_tables(APRIL, AUGUST)
    healed = runner.lakehouse.history(FEATURES)
    assert healed.altered_at(MAY) is None, "published anew"
    assert f"{FEATURES}: {MAY} changed since v1" in restated(runner)[0]


def test_the_same_rows_in_tables_made_anew_have_changed_nothing(runner, homes):
    homes.copy(runner, "champion_as_of_june", champion_as_of_june)

    def made_anew(accounts):
        for table in (FEATURES, LABELS):
            shutil.rmtree(runner.lakehouse.path(table))
        delivered_again(runner, accounts)

    made_anew(2000)
    assert restated(runner) == ()
    made_anew(1900)
    assert [said.split(" since")[0] for said in restated(runner)] == [
        f"{FEATURES}: was made anew",
        f"{LABELS}: was made anew",
    ]
