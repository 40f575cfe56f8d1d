"""The gate of late_delivery refuses what it should, and a whole life of a small honest model."""

import shutil
from dataclasses import replace
from itertools import count

import pytest

from finance_assets.errors import ModelError
from finance_assets.lakehouse.contract import Column
from finance_assets.model_life.chain import read_history
from finance_assets.settings import Settings
from finance_assets.step.declaration import Kind
from finance_assets.use_cases.late_delivery.tables.features import FEATURES
from finance_assets.use_cases.late_delivery.tables.labels import LABELS
from finance_assets.use_cases.late_delivery.use_case import MODEL, USE_CASE
from finance_assets_tests.running import UseCaseRunner
from finance_assets_tests.use_cases.late_delivery.small import (
    MONTHS,
    deliver,
    made_of,
    some_flights,
)

AS_OF, AFTER = MONTHS[3], MONTHS[4]
# The steps of the tables under labels and features, and of these two.
BENEATH, OWN = slice(0, 9), slice(9, 11)
ONE_OF = 12
# A home of its own for each test: home 0 is the one that all begin with.
HOMES = count(1)


@pytest.fixture(scope="module")
def beneath(tmp_path_factory, spark):
    """A home with what labels and features are made of, from which each test makes its own."""
    root = tmp_path_factory.mktemp("beneath")
    home = Settings(home=root / "0", landing=root / "landing", git_sha="test")
    home.prepare_home()
    runner = UseCaseRunner(USE_CASE, home, spark)
    for month in MONTHS[:5]:
        deliver(runner.folder(), month, some_flights(month, ONE_OF))
    runner.run(BENEATH, MONTHS[0], AFTER)
    return runner


@pytest.fixture
def judged(beneath, mlflow_store):
    """Makes a use case's own labels, features and model as of April, in a home of its own."""

    def judge(use_case):
        root = beneath.settings.root.parent / str(next(HOMES))
        shutil.copytree(beneath.settings.root, root)
        home = beneath.settings.model_copy(update={"home": root})
        home.__dict__.pop("root", None)
        home.prepare_home()
        shutil.copy(mlflow_store, home.root / "mlflow" / "mlflow.db")
        runner = UseCaseRunner(use_case, home, beneath.spark)
        runner.run(OWN, MONTHS[0], AFTER)
        runner.run_model(AS_OF)
        return runner

    return judge


def refused_by(runner) -> list[str]:
    """The criteria that the candidate failed."""
    [row] = runner.rows(runner.key(Kind.decision))
    return [name for name in row["failed_criteria"].split(",") if name]


def with_feature(name: str, sql: str):
    """The features with one more."""
    return replace(
        FEATURES,
        columns=(*FEATURES.columns, Column(name, "double", "Sabotage", is_nullable=True)),
        transform=FEATURES.transform.replace(
            "cast(departs AS double) / 60.0D AS departure_hour",
            f"cast(departs AS double) / 60.0D AS departure_hour, {sql} AS {name}",
        ),
    )


def test_a_feature_made_of_the_arrival_does_not_load():
    leaking = with_feature("sneaked", "cast(arrival_delay_minutes AS double)")
    with pytest.raises(ModelError, match="sneaked of late_delivery knows the outcome"):
        made_of(leaking)


def test_the_own_delay_at_departure_is_taken_for_a_leak(judged):
    """The target is not made of it, so it loads; but it all but tells the outcome."""
    leaking = with_feature("sneaked", "cast(departure_delay_minutes AS double)")
    runner = judged(made_of(leaking, gate=MODEL.gate))
    assert "leakage" in refused_by(runner)
    assert read_history(runner.lakehouse, USE_CASE.name).events == ()


def test_labels_that_have_nothing_to_do_with_the_flight_are_refused(judged):
    """Every fourth flight by a hash of its number and day is called late."""
    text = LABELS.transform.replace(
        "arrival_delay_minutes > 15", "pmod(xxhash64(day, flight_number, carrier), 4) = 0"
    )
    assert text != LABELS.transform
    runner = judged(made_of(replace(LABELS, transform=text), gate=MODEL.gate))
    assert {"discrimination", "beats_baselines"} <= set(refused_by(runner))


def test_an_honest_model_is_crowned_scores_the_next_month_and_is_watched(judged):
    runner = judged(made_of())
    assert refused_by(runner) == []
    [event] = read_history(runner.lakehouse, USE_CASE.name).events
    assert (event.event, event.effective_from) == ("promoted", AFTER)
    runner.run_scoring(AFTER)
    scored = runner.rows(runner.key(Kind.scoring))
    # Cancelled flights too: before departure nobody knows.
    assert len(scored) == len(some_flights(AFTER, ONE_OF))
    assert {row["band"] for row in scored} == {"low", "medium", "high"}
    words = set(MODEL.task.reasons.words.values())
    for row in scored:
        assert (row["reason_1"] in words) == (row["band"] == "high")
    drift = {row["variable"] for row in runner.rows(runner.key(Kind.monitoring))}
    assert drift == {*MODEL.feature_names, "score"}
