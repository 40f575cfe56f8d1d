"""Data restated since a champion was crowned: which decision of the gate answers that."""

from dataclasses import replace

from finance_assets.ml.training import train, train_here
from finance_assets.model_life.restated import restated_since
from finance_assets.steps import training as training_step
from finance_assets_tests.model_life.models import decision, history, run_model_steps
from finance_assets_tests.model_life.test_model_life import EASY, STRICT, champion_as_of_june
from finance_assets_tests.scenario import APRIL, AUGUST, CALENDAR, MAY, deliver_sample


def restated(runner):
    found = history(runner)
    return restated_since(runner.lakehouse, CALENDAR, EASY, found, found.newest)


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
