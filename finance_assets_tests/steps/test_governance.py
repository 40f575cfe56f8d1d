"""What people decide: approving, rolling back; and what they can ask: reproduce, trace, card."""

import json
from dataclasses import replace

import pytest
from deltalake import DeltaTable

from finance_assets.compute.runner import open_registry
from finance_assets.errors import ModelError
from finance_assets.ml.card import render_card
from finance_assets.ml.spec import Approval
from finance_assets.settings import Settings
from finance_assets.steps.cards import gather_card
from finance_assets.steps.governance import approve, roll_back
from finance_assets.steps.promotions import (
    Champion,
    champion_at,
    current_user,
    previous_champion,
    promotions,
)
from finance_assets.steps.reproduction import reproduce
from finance_assets.use_cases.credit_default.use_case import CALENDAR
from finance_assets_tests.scenario import (
    APRIL,
    AUGUST,
    JULY,
    JUNE,
    SEPTEMBER,
    Runner,
    deliver_sample,
)
from finance_assets_tests.steps.models import (
    CHAMPION,
    HISTORY,
    NAME,
    PREDICTIONS,
    aliases,
    context,
    decision,
    run_model_steps,
)
from finance_assets_tests.steps.test_model_life import EASY, STRICT

HELD = replace(EASY, approval=Approval.required)


@pytest.fixture
def tables(runner, settings):
    """Tables through September."""
    deliver_sample(settings.landing, 2000)
    runner.run_tables(APRIL, SEPTEMBER)
    return runner


@pytest.fixture
def two_champions(tables):
    """v1 as of June, v2 as of August; July to September scored."""
    run_model_steps(tables, JUNE, EASY)
    run_model_steps(tables, AUGUST, EASY)
    tables.run(PREDICTIONS, JULY, SEPTEMBER)
    return tables


@pytest.fixture(scope="module")
def settled(tmp_path_factory, spark):
    """The same, for questions that change nothing."""
    home, landing = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("landing")
    deliver_sample(landing, 2000)
    settings = Settings(home=home, landing=landing, git_sha="test")
    settings.prepare_home()
    runner = Runner(settings, spark)
    runner.run_tables(APRIL, SEPTEMBER)
    for month in (JUNE, AUGUST):
        run_model_steps(runner, month, EASY)
    runner.run(PREDICTIONS, JULY, SEPTEMBER)
    return runner


def rolled_back(runner, to=None, effective_from=None, reason="it is odd"):
    return roll_back(
        context(runner), EASY, to=to, effective_from=effective_from, by="ada", reason=reason
    )


def approved(runner, version, by="ada"):
    return approve(context(runner), HELD, version, by=by, reason="read the card")


def test_a_passed_candidate_waits_for_approval_as_challenger(tables, settings):
    run_model_steps(tables, JUNE, HELD)
    assert decision(tables, JUNE) == ("held", [])
    assert aliases(settings) == {"challenger": "1"}
    assert champion_at(tables.lakehouse, NAME, JULY) is None
    event = approved(tables, "1")
    assert (event.event, event.decided_by, event.reason) == ("approved", "ada", "read the card")
    assert aliases(settings) == {"champion": "1"}
    assert champion_at(tables.lakehouse, NAME, JULY) == Champion("1", JUNE)
    tags = open_registry(settings).version(NAME, "1").tags
    assert (tags["approved_by"], tags["approval_reason"]) == ("ada", "read the card")
    # Running the step again neither asks again nor takes the approval back.
    run_model_steps(tables, JUNE, HELD)
    assert [e.event for e in promotions(tables.lakehouse, NAME)] == ["held", "approved"]
    assert aliases(settings) == {"champion": "1"}


def test_a_late_approval_leaves_the_months_that_were_scored_before_it_alone(tables):
    run_model_steps(tables, JUNE, EASY)
    run_model_steps(tables, AUGUST, HELD)
    tables.run(PREDICTIONS, JULY, SEPTEMBER)
    assert approved(tables, "2").effective_from == "2005-10"
    assert champion_at(tables.lakehouse, NAME, SEPTEMBER) == Champion("1", JUNE)
    assert champion_at(tables.lakehouse, NAME, "2005-10") == Champion("2", AUGUST)
    assert tables.run(PREDICTIONS, JULY, SEPTEMBER).changed == ()


def test_who_trained_a_version_cannot_approve_it(tables, settings):
    run_model_steps(tables, JUNE, HELD)
    with pytest.raises(ModelError, match="cannot approve it"):
        approved(tables, "1", by=current_user())
    assert aliases(settings) == {"challenger": "1"}


@pytest.mark.parametrize(("spec", "word"), [(STRICT, "failed: discrimination"), (EASY, "promoted")])
def test_nothing_but_a_held_candidate_can_be_approved(tables, spec, word):
    run_model_steps(tables, JUNE, spec)
    known = tables.rows(HISTORY)
    with pytest.raises(ModelError, match=word):
        approved(tables, "1")
    with pytest.raises(ModelError, match="nobody judged it"):
        approved(tables, "7")
    assert tables.rows(HISTORY) == known


def test_an_approval_of_a_candidate_that_was_judged_against_another_champion_is_refused(tables):
    run_model_steps(tables, JUNE, HELD)
    run_model_steps(tables, AUGUST, EASY)
    with pytest.raises(ModelError, match="judged against champion None"):
        approved(tables, "1")


def test_a_rollback_holds_for_new_partitions_and_leaves_the_past_alone(two_champions, settings):
    before = two_champions.rows(PREDICTIONS)
    event = rolled_back(two_champions)
    assert (event.from_version, event.champion_version) == ("2", "1")
    assert event.effective_from == "2005-10"
    assert champion_at(two_champions.lakehouse, NAME, SEPTEMBER) == Champion("2", AUGUST)
    assert champion_at(two_champions.lakehouse, NAME, "2005-10") == Champion("1", JUNE)
    assert aliases(settings) == {"champion": "1", "previous": "2"}
    assert two_champions.run(PREDICTIONS, JULY, SEPTEMBER).changed == ()
    assert two_champions.rows(PREDICTIONS) == before


def test_a_second_rollback_brings_the_first_one_back_and_the_history_reads_right(
    two_champions, settings
):
    rolled_back(two_champions, reason="scores look odd")
    rolled_back(two_champions, reason="it was the data")
    events = promotions(two_champions.lakehouse, NAME)
    assert [(e.event, e.from_version, e.champion_version, e.reason) for e in events] == [
        ("promoted", None, "1", "every criterion passed"),
        ("promoted", "1", "2", "every criterion passed"),
        ("rolled_back", "2", "1", "scores look odd"),
        ("rolled_back", "1", "2", "it was the data"),
    ]
    assert previous_champion(events) == Champion("1", JUNE)
    assert aliases(settings) == {"champion": "2", "previous": "1"}


def test_a_month_that_is_scored_after_a_rollback_uses_it_at_once(two_champions):
    rolled_back(two_champions, effective_from=SEPTEMBER)
    result = two_champions.run(PREDICTIONS, SEPTEMBER)
    assert result.changed == (SEPTEMBER,)
    scored = {r["statement_month"]: r["model_version"] for r in two_champions.rows(PREDICTIONS)}
    assert scored == {JULY: "1", AUGUST: "1", SEPTEMBER: "1"}


def test_a_rollback_that_could_not_hold_is_refused(two_champions):
    with pytest.raises(ModelError, match="changes nothing"):
        rolled_back(two_champions, effective_from=JULY)
    with pytest.raises(ModelError, match="nothing to roll back to"):
        rolled_back(two_champions, to="2")
    run_model_steps(two_champions, JULY, STRICT)
    with pytest.raises(ModelError, match="never champion"):
        rolled_back(two_champions, to="3")
    assert len(promotions(two_champions.lakehouse, NAME)) == 3


def test_rolling_back_to_an_altered_model_is_refused(two_champions, settings):
    for model in (settings.root / "mlflow" / "artifacts").rglob("model.lgb"):
        model.write_text(model.read_text() + "\n")
    with pytest.raises(ModelError, match="not the one that was registered"):
        rolled_back(two_champions)
    assert aliases(settings)["champion"] == "2"


def reproduced(runner, version="2"):
    ctx = context(runner)
    return reproduce(ctx, EASY, CALENDAR, ctx.registry.version(NAME, version))


def test_a_version_is_reproduced_to_the_byte_from_its_record(settled):
    result = reproduced(settled)
    assert result.is_reproduced
    same = {c.what for c in result.comparisons if c.is_same}
    assert {"training rows", "model (sha256)", "2000 holdout predictions (sha256)"} <= same
    assert {"holdout auc", "holdout brier", "library", "code"} <= same


def test_a_version_is_reproduced_though_its_data_was_restated_since(two_champions, settings):
    deliver_sample(settings.landing, 1500, [APRIL])
    two_champions.run_tables(APRIL, JUNE)
    assert reproduced(two_champions).is_reproduced


def test_data_that_was_vacuumed_is_named_as_the_obstacle(two_champions, settings):
    deliver_sample(settings.landing, 1500, [APRIL])
    two_champions.run_tables(APRIL, JUNE)
    table = DeltaTable(str(two_champions.lakehouse.path("features.credit_default")))
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    result = reproduced(two_champions)
    assert not result.is_reproduced
    [obstacle] = result.obstacles
    assert "vacuumed" in obstacle
    assert "features.credit_default" in obstacle


def test_what_differs_is_named(settled, monkeypatch):
    from finance_assets.steps import reproduction

    real = reproduction.train
    monkeypatch.setattr(
        reproduction, "train", lambda recipe, rows: real(replace(recipe, rounds=10), rows)
    )
    monkeypatch.setitem(settled.settings.__dict__, "code_sha", "another")
    result = reproduced(settled)
    differing = {c.what for c in result.comparisons if not c.is_same}
    assert {"model (sha256)", "holdout auc", "code"} <= differing
    assert not result.is_reproduced


def test_every_judged_version_has_a_model_card_that_says_what_became_of_it(two_champions, settings):
    from mlflow import MlflowClient

    run_model_steps(two_champions, JULY, STRICT)
    client, registry = MlflowClient(settings.tracking_uri), open_registry(settings)
    expected = {"1": "Former champion", "2": "Champion", "3": "Turned down by the gate"}
    for number, status in expected.items():
        version = registry.version(NAME, number)
        listed = {f.path for f in client.list_artifacts(version.run_id, "model_card")}
        assert listed == {"model_card/model_card.md", "model_card/model_card.json"}
        ctx = context(two_champions)
        text = render_card(gather_card(ctx, EASY, version))
        assert f"# Model card: {NAME} v{number}" in text
        assert f"**{status}**" in text
        for heading in ("Purpose", "Data", "Conceptual soundness", "Outcome", "Limitations"):
            assert heading in text
    stored = json.loads(registry._text(registry.version(NAME, "3"), "model_card/model_card.json"))
    failed = [verdict["name"] for verdict in stored["gate"] if not verdict["is_passed"]]
    assert failed == ["discrimination"]
    for image in ("roc", "calibration", "lift", "importance"):
        listed = {
            f.path for f in client.list_artifacts(registry.version(NAME, "2").run_id, "plots")
        }
        assert f"plots/{image}.png" in listed


def test_the_step_shows_the_card_and_states_the_champion(two_champions):
    result = run_model_steps(two_champions, AUGUST, EASY, (CHAMPION,))
    assert result.documents["model_card"].startswith("# Model card: credit_default v2")
    assert result.metadata["model_card_page"].startswith("http")
    assert result.stated == {HISTORY: {NAME: {"champion_version": "2"}}}
