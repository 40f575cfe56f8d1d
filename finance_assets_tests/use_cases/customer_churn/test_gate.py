"""The gate of customer_churn on its own data: what it refuses, and what it lets pass."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from finance_assets.ml.evaluation import CANDIDATE, NAIVE, SCORECARD, Holdout
from finance_assets.ml.families import Objective, family_of
from finance_assets.ml.frames import labelled_rows
from finance_assets.ml.gate import evaluate_gate
from finance_assets.ml.splits import split_as_of
from finance_assets.ml.tasks.binary.scorecard import fit_scorecard
from finance_assets.use_cases.customer_churn.model import GATE
from finance_assets.use_cases.customer_churn.use_case import CALENDAR, MODEL, USE_CASE
from finance_assets_tests.ml.evidence import EVIDENCE

FEATURES, TARGET, MONTH = MODEL.feature_names, MODEL.target, MODEL.partition_column
EARLY, LATE = "2017-05", "2017-10"


@pytest.fixture(scope="module")
def rows(all_of_it):
    """Features, outcome and groups of every household and month that may be learned from."""
    split = split_as_of(CALENDAR, MODEL, LATE)
    known = labelled_rows(all_of_it.lakehouse, MODEL, split).frame
    groups = all_of_it.lakehouse.read(MODEL.protected.source, split.rows).selectExpr(
        *MODEL.key, *(f"{a.expression} as `{a.name}`" for a in MODEL.protected.attributes)
    )
    return known.merge(groups.toPandas(), on=list(MODEL.key))


def trained(rows, as_of=LATE):
    """Candidate and scorecard as of a month, with the rows that they learned from."""
    split, family = split_as_of(CALENDAR, MODEL, as_of), family_of(MODEL.family)
    learned = rows[rows[MONTH].between(split.train.first, split.train.last)]
    params = {**MODEL.params, **family.fixed(Objective())}
    inputs, outcome = learned[list(FEATURES)].to_numpy("float64"), learned[TARGET].to_numpy()
    model = family.fit(params, MODEL.rounds, inputs, outcome, FEATURES)
    return model, fit_scorecard(learned, FEATURES, TARGET), learned.reset_index(drop=True)


def judged(rows, model, card, learned, as_of=LATE, scored=lambda scores, held: scores):
    """The criteria that the candidate fails; its scores may be others than it gives."""
    held = rows[rows[MONTH] == CALENDAR.shift(as_of, -1)].reset_index(drop=True)
    holdout = Holdout(MODEL, held, learned)
    outputs = {
        CANDIDATE: scored(model.predict(model.inputs(held)), held),
        SCORECARD: card.predict(held),
        NAIVE: MODEL.task.baseline(NAIVE, holdout, lambda file: None),
    }
    before = scored(model.predict(model.inputs(holdout.last_trained)), holdout.last_trained)
    evidence = replace(
        EVIDENCE,
        champion_version=None,
        measured={role: MODEL.task.measure(holdout.outcome, o) for role, o in outputs.items()},
        assessment=MODEL.task.assess(holdout, outputs, before, model.gain_shares()),
    )
    return set(evaluate_gate(GATE, evidence).failed_criteria)


@pytest.fixture(scope="module")
def candidate(rows):
    """The candidate that is promoted."""
    return trained(rows)


@pytest.fixture(scope="module")
def quickly(candidate):
    """The same; what leaks is looked for in its last month only."""
    model, card, learned = candidate
    last = learned[learned[MONTH] == learned[MONTH].max()]
    return model, card, last.reset_index(drop=True)


def test_it_refuses_what_a_month_of_learning_cannot_show_and_lets_six_pass(rows, candidate):
    assert judged(rows, *trained(rows, EARLY), EARLY) == {"beats_baselines", "calibration"}
    assert judged(rows, *candidate) == set()


def leaking(rows, share):
    """A feature gives some of the outcomes away."""
    told = np.random.default_rng(1).random(len(rows)) < share
    return rows.assign(weekend_share=np.where(told, rows[TARGET], rows["weekend_share"]))


def confident(scores, held):
    odds = scores / (1 - scores)
    return odds**2 / (1 + odds**2)


def against_the_young(scores, held):
    return np.where(held["age_band"] == "under 35", np.maximum(scores, 0.5), scores)


def worn_out(scores, held):
    """Half of the order is chance."""
    chance = np.random.default_rng(2).permutation(scores)
    return np.where(np.arange(len(scores)) % 2, scores, chance)


@pytest.mark.parametrize(
    ("criterion", "sabotage"),
    {
        "discrimination": worn_out,
        "calibration": confident,
        "business_cost": lambda scores, held: np.full(len(scores), 0.9),
        "beats_baselines": lambda scores, held: np.round(scores, 1),
        "fairness": against_the_young,
        "stability": lambda s, held: s / 3 if held[MONTH].iat[0] < "2017-09" else s,
    }.items(),
)
def test_a_candidate_that_is_worse_in_one_way_is_refused_for_it(rows, quickly, criterion, sabotage):
    assert criterion in judged(rows, *quickly, scored=sabotage)


def test_a_feature_that_knows_a_third_of_the_outcomes_is_refused_as_a_leak(rows):
    told = leaking(rows, 0.33)
    assert "leakage" in judged(told, *trained(told))


def test_a_holdout_of_one_household_in_two_is_too_thin_whatever_the_candidate(rows, quickly):
    assert "enough_rows" in judged(rows[rows["household_id"] % 2 == 0], *quickly)


def test_a_holdout_that_was_learned_from_is_refused(rows, candidate):
    model, card, learned = candidate
    held = rows[rows[MONTH] == "2017-09"].assign(**{MONTH: "2017-08"})
    known = pd.concat([learned[learned[MONTH] != "2017-08"], held[learned.columns]])
    assert "leakage" in judged(rows, model, card, known.reset_index(drop=True))


@pytest.mark.slow
def test_the_steps_turn_down_and_promote_as_the_gate_says(all_of_it):
    for as_of in (EARLY, LATE):
        all_of_it.run_model(as_of)
    decided = {row["as_of"]: row for row in all_of_it.rows(f"models.{USE_CASE.name}_decision")}
    assert decided[EARLY]["outcome"] == "turned_down"
    assert decided[EARLY]["failed_criteria"] == "calibration,beats_baselines"
    assert decided[LATE]["outcome"] == "promoted"
    [report] = [v for k, v in decided[EARLY].items() if "report" in k]
    why = {v["name"]: v["observed"] for v in json.loads(report)["verdicts"] if not v["is_passed"]}
    assert "gain over naive" in why["beats_baselines"]
