"""Candidates whose record in the registry was cut, altered, or does not answer."""

import contextlib
from dataclasses import replace

import pytest

from finance_assets.compute.runner import open_registry
from finance_assets.ml.tasks.binary import criteria
from finance_assets.steps import training as training_step
from finance_assets_tests.model_life.models import (
    CANDIDATE,
    DECISION,
    EVALUATION,
    NAME,
    aliases,
    decided,
    decision,
    events,
    mlflow_client,
    model_files,
    run_model_steps,
)
from finance_assets_tests.model_life.sabotage.attacks import fresh, newest
from finance_assets_tests.scenario import AUGUST, MODEL

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def honest(home):
    """The declaration of a candidate that nothing is wrong with, trained and measured."""
    spec = fresh()
    run_model_steps(home, AUGUST, spec, (CANDIDATE, EVALUATION))
    return spec, newest(home)


@pytest.fixture
def judge_damaged(home, honest):
    """Damage the honest candidate, and judge it; what was decided, and the report."""

    def run(damage):
        spec, version = honest
        # It is known, and not trained again.
        run_model_steps(home, AUGUST, spec, (CANDIDATE,))
        assert home.rows(CANDIDATE)[-1]["model_version"] == version.number
        known = len(decided(home))
        with damage(version):
            run_model_steps(home, AUGUST, spec, (DECISION,))
        assert len(decided(home)) == known + 1
        return decision(home, AUGUST)

    yield run
    assert aliases(home.settings)["champion"] == "1"
    assert events(home) == [("promoted", "1", None)]


# Without one of the others, other criteria fail too: see below, and test_learned.py.
SPARE_TAGS = sorted({*criteria.REQUIRED_TAGS} - {"dataset_version", "train_window", "model_family"})


@pytest.mark.parametrize("tag", SPARE_TAGS)
def test_a_missing_tag_is_turned_down(home, judge_damaged, tag):
    @contextlib.contextmanager
    def untagged(version):
        client = mlflow_client(home.settings)
        client.delete_model_version_tag(NAME, version.number, tag)
        yield
        client.set_model_version_tag(NAME, version.number, tag, version.tags[tag])

    assert judge_damaged(untagged) == ("turned_down", ["required_tags"])


def test_a_missing_model_family_makes_the_model_unreadable(home, judge):
    def untag():
        client = mlflow_client(home.settings)
        client.delete_model_version_tag(NAME, newest(home).number, "model_family")

    outcome, failed = judge(between=untag)
    assert outcome == "turned_down"
    assert {"required_tags", "artifact"} <= set(failed)


@contextlib.contextmanager
def altered(home, version, pattern, old, new):
    """Files of a version changed on disk, and put back afterwards."""
    files = model_files(home.settings, version.number, pattern)
    assert files
    texts = {file: file.read_text() for file in files}
    for file, text in texts.items():
        assert old in text
        file.write_text(text.replace(old, new, 1))
    try:
        yield
    finally:
        for file, text in texts.items():
            file.write_text(text)


@pytest.mark.parametrize(
    ("pattern", "old", "new", "criterion"),
    [
        ("recipe.json", '"seed"', '"sead"', "artifact"),
        ("scorecard.json", '"intercept": ', '"intercept": 1', "beats_baselines"),
    ],
)
def test_a_tampered_artifact_is_turned_down(home, judge_damaged, pattern, old, new, criterion):
    outcome, failed = judge_damaged(lambda version: altered(home, version, pattern, old, new))
    assert (outcome, criterion in failed) == ("turned_down", True)


def test_a_model_that_was_tampered_with_before_it_was_measured_is_turned_down(home, judge):
    with contextlib.ExitStack() as stack:
        damage = ("model.json", '"base_score":"[', '"base_score":"[9')
        outcome, failed = judge(
            between=lambda: stack.enter_context(altered(home, newest(home), *damage))
        )
    assert (outcome, "artifact" in failed) == ("turned_down", True)


def test_an_unreadable_champion_promotes_nobody(home, judge):
    version = open_registry(home.settings).version(NAME, "1")
    with altered(home, version, "model.json", '"base_score":"[', '"base_score":"[9'):
        outcome, failed = judge()
    assert outcome == "turned_down"
    assert {"beats_champion", "business_cost"} <= set(failed)


def test_a_signature_that_is_not_the_declared_one_is_turned_down(judge, monkeypatch):
    real = training_step.register

    def renamed(registry, name, candidate):
        example = candidate.example.rename(columns={"bill_ntd": "bill_usd"})
        return real(registry, name, replace(candidate, example=example))

    monkeypatch.setattr(training_step, "register", renamed)
    outcome, failed = judge()
    assert outcome == "turned_down"
    assert {"signature", "artifact"} <= set(failed)


def test_other_features_than_the_champions_have_to_be_declared(judge):
    fewer = tuple(name for name in MODEL.feature_names if name != "bill_ntd")
    outcome, failed = judge(fresh(feature_names=fewer, task=replace(MODEL.task, reasons=None)))
    assert (outcome, failed) == ("turned_down", ["signature"])


def test_a_registry_that_does_not_answer_promotes_nobody(home, judge, monkeypatch):
    from mlflow.exceptions import MlflowException

    from finance_assets.ml.registry import ModelRegistry

    def silent(self, version):
        raise MlflowException("no answer")

    known = decided(home)
    monkeypatch.setattr(ModelRegistry, "signature", silent)
    with pytest.raises(MlflowException, match="no answer"):
        judge()
    assert decided(home) == known
