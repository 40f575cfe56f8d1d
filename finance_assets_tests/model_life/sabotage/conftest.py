"""Fixtures: a home with a champion, and the judging of candidates in it."""

from dataclasses import replace

import pytest

from finance_assets_tests.model_life.models import (
    CANDIDATE,
    DECISION,
    EVALUATION,
    aliases,
    decision,
    events,
    run_model_steps,
)
from finance_assets_tests.model_life.sabotage.attacks import ACCOUNTS, GATE, fresh
from finance_assets_tests.scenario import AUGUST, JUNE, MODEL


def champion_as_of_june(runner):
    runner.begin(ACCOUNTS, AUGUST)
    run_model_steps(runner, JUNE, replace(MODEL, gate=GATE))
    assert aliases(runner.settings) == {"champion": "1"}


@pytest.fixture(scope="module")
def home(tmp_path_factory, homes):
    """Tables through August and a champion as of June, for all cases of a file."""
    return homes.runner(
        tmp_path_factory.mktemp("sabotage"), "champion_under_attack", champion_as_of_june
    )


@pytest.fixture
def judge(home):
    """Train, evaluate and judge a candidate as of August; what was decided."""

    def run(spec=None, between=lambda: None, keys=(CANDIDATE, EVALUATION, DECISION)):
        spec = spec or fresh()
        for key in keys:
            run_model_steps(home, AUGUST, spec, (key,))
            if key == CANDIDATE:
                between()
        return decision(home, AUGUST)

    yield run
    assert aliases(home.settings)["champion"] == "1"
    assert events(home) == [("promoted", "1", None)]
