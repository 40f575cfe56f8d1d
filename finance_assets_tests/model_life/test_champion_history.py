"""Attacks on the champion history and on what it names: each is noticed, and nothing scores."""

import json
import shutil
from contextlib import contextmanager
from dataclasses import asdict, replace

import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake

from finance_assets.errors import FinanceAssetsError, GoneError, ModelError
from finance_assets.ml.model_files import FEATURES_DIGEST, canonical, digest, digest_tag
from finance_assets.ml.registry import STATEMENT
from finance_assets.model_life.chain import chain_problems, read_history
from finance_assets.model_life.champion_history import ChampionEvent, ChampionHistory
from finance_assets.model_life.verification import verify
from finance_assets.settings import Settings
from finance_assets_tests.model_life.models import (
    DRIFT,
    EVALUATION,
    HISTORY,
    LOOKS,
    NAME,
    PREDICTIONS,
    champion_at,
    context,
    history,
    mlflow_client,
    model_files,
    negate_leaves,
    run_model_steps,
)
from finance_assets_tests.model_life.test_model_life import EASY
from finance_assets_tests.scenario import (
    AUGUST,
    JULY,
    JUNE,
    MODEL,
    SEPTEMBER,
    Runner,
)


def unscored(runner):
    runner.begin(2000, SEPTEMBER)
    for month in (JUNE, AUGUST):
        run_model_steps(runner, month, EASY)


@pytest.fixture(scope="module")
def settled(tmp_path_factory, homes):
    """v1 as of June, v2 as of August, and MLflow with both."""
    return homes.runner(tmp_path_factory.mktemp("settled"), "two_champions_unscored", unscored)


@pytest.fixture
def copy(settled, tmp_path, spark):
    """The same lakehouse once more, to be tampered with; MLflow is the settled one."""
    shutil.copytree(settled.settings.root / "lakehouse", tmp_path / "lakehouse")
    settings = Settings(
        home=tmp_path,
        landing=settled.settings.landing,
        git_sha="test",
        mlflow_tracking_uri=settled.settings.tracking_uri,
    )
    settings.prepare_home()
    return Runner(settings, spark)


def problems(runner, stated=None):
    return verify(context(runner), EASY, stated or {})


def refuses_to_score(runner, match):
    with pytest.raises(FinanceAssetsError, match=match):
        runner.run(PREDICTIONS, SEPTEMBER)
    assert runner.lakehouse.history(PREDICTIONS).row_counts() == {}
    return True


def history_path(runner):
    return str(runner.lakehouse.path(HISTORY))


def forged(runner, **change):
    """A well-formed event behind the newest one, as somebody who read our code would write it."""
    events = history(runner).events
    newest = events[-1]
    base = replace(
        events[0],
        sequence=newest.sequence + 1,
        effective_from=SEPTEMBER,
        replaces=newest.model_version,
        previous_digest=newest.digest,
        **change,
    )
    return base.sealed()


def write_around(runner, event, statement=None):
    import pyarrow as pa

    schema = pa.schema(DeltaTable(history_path(runner)).schema().to_arrow())
    rows = pa.Table.from_pylist([asdict(event)], schema=schema)
    metadata = {"userMetadata": statement} if statement else {}
    write_deltalake(
        history_path(runner),
        rows,
        mode="append",
        commit_properties=CommitProperties(custom_metadata=metadata),
    )


def test_an_untouched_history_is_intact(settled):
    assert problems(settled) == []
    assert [e.sequence for e in history(settled).events] == [1, 2]


def test_a_row_that_somebody_appended_is_noticed_and_nothing_is_scored(copy):
    write_around(copy, forged(copy, event="rolled_back", reason="trust me"))
    assert any("made around us" in problem for problem in problems(copy))
    assert refuses_to_score(copy, "made around us")


def test_a_row_that_is_no_change_of_champion_is_noticed(copy):
    table = DeltaTable(history_path(copy))
    table.alter.drop_constraint("row_rules")
    write_around(copy, forged(copy, event="turned_down"))
    assert any("no change of champion" in problem for problem in problems(copy))
    assert refuses_to_score(copy, "cannot be trusted")


def test_an_appended_row_with_a_publication_of_its_own_is_noticed(copy):
    event = forged(copy, event="promoted", reason="every criterion passed")
    known = copy.lakehouse.history(HISTORY).publications[0]
    lie = replace(known, fingerprints={SEPTEMBER: "what I like"})
    write_around(copy, event, lie.to_json())
    assert any("not appended by a decision" in problem for problem in problems(copy))
    assert refuses_to_score(copy, "cannot be trusted")


def test_a_forged_event_with_a_forged_publication_is_seen_by_what_it_replaced(copy):
    """Everything forged but the report: that one tells of another comparison."""
    event = forged(copy, event="promoted", reason="every criterion passed")
    known = copy.lakehouse.history(HISTORY).publications[0]
    write_around(copy, event, replace(known, fingerprints={SEPTEMBER: event.digest}).to_json())
    assert any("than it was compared with" in problem for problem in problems(copy))
    assert refuses_to_score(copy, "cannot be trusted")


def rewritten(runner, change):
    """The history's rows changed in place, with every table property as it was before."""
    path = runner.lakehouse.path(HISTORY)
    rows = DeltaTable(str(path)).to_pyarrow_table().to_pylist()
    shutil.rmtree(path)
    import pyarrow as pa

    changed = change(rows)
    write_deltalake(str(path), pa.Table.from_pylist(changed), partition_by=["effective_from"])


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("model_sha256", "0" * 64, "digest is not that of its content"),
        ("effective_from", JULY, "digest is not that of its content"),
        ("decided_by", "somebody else", "digest is not that of its content"),
        ("previous_digest", "0" * 64, "does not follow"),
    ],
)
def test_a_changed_event_is_noticed(copy, name, value, match):
    rewritten(copy, lambda rows: [{**r, name: value} if r["sequence"] == 2 else r for r in rows])
    assert any(match in problem for problem in problems(copy))
    assert refuses_to_score(copy, "cannot be trusted")


def test_a_rebuilt_chain_without_its_last_event_is_noticed_by_what_mlflow_states(copy):
    rewritten(copy, lambda rows: [row for row in rows if row["sequence"] == 1])
    assert any("MLflow states an event 2" in problem for problem in problems(copy))


def test_a_restored_older_version_of_the_table_is_noticed(copy):
    table = DeltaTable(history_path(copy))
    table.alter.set_table_properties({"delta.appendOnly": "false"})
    publications = copy.lakehouse.history(HISTORY).publications
    table = DeltaTable(history_path(copy))
    table.restore(publications[-1].version)
    assert [e.sequence for e in read_history(copy.lakehouse, NAME).events] == [1]
    found = problems(copy)
    assert any("made around us" in problem for problem in found)
    assert any("MLflow states an event 2" in problem for problem in found)
    assert refuses_to_score(copy, "cannot be trusted")


def test_a_table_whose_newest_commits_were_deleted_is_noticed_by_mlflow_and_by_dagster(copy):
    stated = history(copy).statement
    last = copy.lakehouse.history(HISTORY).version
    for file in (copy.lakehouse.path(HISTORY) / "_delta_log").glob(f"{last:020d}*"):
        file.unlink()
    assert len(history(copy).events) == 1
    assert history(copy).problems == (), "the chain alone cannot know"
    assert refuses_to_score(copy, "MLflow states an event 2")
    assert any("Dagster states" in p for p in problems(copy, {"Dagster": stated}))


def test_a_deleted_history_is_noticed(copy):
    shutil.rmtree(copy.lakehouse.path(HISTORY))
    assert any("MLflow states an event 2" in problem for problem in problems(copy))
    assert refuses_to_score(copy, "shortened")


def test_two_events_of_one_number_are_noticed(settled):
    first, second = history(settled).events
    twice = (first, second, replace(second, sequence=2).sealed())
    assert any("stands at place 3" in problem for problem in chain_problems(twice))


def test_a_report_that_did_not_pass_crowns_nobody(settled):
    first, second = history(settled).events
    report = json.loads(second.gate_report)
    report["verdicts"][0]["is_passed"] = False
    broken = replace(second, gate_report=json.dumps(report)).sealed()
    assert any("passed report" in problem for problem in chain_problems((first, broken)))
    unreadable = replace(second, gate_report="{").sealed()
    assert any("cannot be read" in problem for problem in chain_problems((first, unreadable)))


def test_a_passed_report_about_another_version_crowns_nobody(settled):
    first, second = history(settled).events
    other = replace(second, model_version="3").sealed()
    [found] = chain_problems((first, other))
    assert "passed report about its version" in found


def test_an_event_that_replaces_another_champion_than_was_in_force_is_noticed(settled):
    first, second = history(settled).events
    report = {**json.loads(second.gate_report), "champion_version": "7"}
    other = replace(second, replaces="7", gate_report=json.dumps(report)).sealed()
    [found] = chain_problems((first, other))
    assert "does not name the champion it replaced" in found


def test_nothing_can_be_put_back_that_never_was_champion(settled):
    first, second = history(settled).events
    third = ChampionEvent(
        **{
            **asdict(first),
            "sequence": 3,
            "event": "rolled_back",
            "model_sha256": "0" * 64,
            "replaces": second.model_version,
            "previous_digest": second.digest,
        }
    ).sealed()
    assert any("never champion" in problem for problem in chain_problems((first, second, third)))


def test_overwritten_evaluations_are_noticed_and_no_decision_rests_on_them(copy):
    path = str(copy.lakehouse.path(EVALUATION))
    rows = DeltaTable(path).to_pandas()
    rows.loc[(rows["role"] == "champion") & (rows["metric"] == "auc"), "value"] = 0.5
    for name in DeltaTable(path).metadata().configuration:
        if name.startswith("delta.constraints."):
            DeltaTable(path).alter.drop_constraint(name.split(".")[-1])
    write_deltalake(path, rows, mode="overwrite")
    assert any(f"{EVALUATION}[{AUGUST}]" in problem for problem in problems(copy))


def test_a_look_that_was_taken_out_is_noticed(copy):
    path = str(copy.lakehouse.path(LOOKS))
    DeltaTable(path).alter.set_table_properties({"delta.appendOnly": "false"})
    DeltaTable(path).delete(f"as_of = '{AUGUST}'")
    assert any(LOOKS in problem for problem in problems(copy))


@contextmanager
def put_back(settled, *files):
    """Files and tags of v2 as they are now, put back afterwards."""
    client = mlflow_client(settled.settings)
    tags = dict(client.get_model_version(NAME, "2").tags)
    contents = {file: file.read_bytes() for file in files}
    try:
        yield client
    finally:
        for file, content in contents.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        for name, value in tags.items():
            client.set_model_version_tag(NAME, "2", name, value)


def test_a_model_turned_upside_down_with_its_digest_set_anew_does_not_score(settled, copy):
    with put_back(settled, *model_files(settled.settings, "2")):
        negate_leaves(settled.settings, "2")
        assert any("model_sha256 differ" in problem for problem in problems(copy))
        assert refuses_to_score(copy, "not what became champion: model_sha256")
    assert problems(copy) == []


def test_features_swapped_in_the_tag_are_noticed(settled, copy):
    with put_back(settled) as client:
        first, second, *others = MODEL.feature_names
        swapped = digest(canonical([second, first, *others]))
        client.set_model_version_tag(NAME, "2", FEATURES_DIGEST, swapped)
        assert problems(copy) != []
        assert refuses_to_score(copy, "its tag features_sha256 is of others")


def test_a_version_of_earlier_code_has_its_features_as_a_tag_and_scores(settled, copy):
    with put_back(settled) as client:
        client.delete_model_version_tag(NAME, "2", FEATURES_DIGEST)
        client.set_model_version_tag(NAME, "2", "features", json.dumps(MODEL.feature_names))
        assert problems(copy) == []


def test_features_renamed_in_the_model_text_do_not_score(settled, copy):
    [model] = model_files(settled.settings, "2")
    with put_back(settled, model) as client:
        first, second, *others = MODEL.feature_names
        swapped, record = [second, first, *others], json.loads(model.read_text())
        record["learner"]["feature_names"] = swapped
        model.write_text(json.dumps(record))
        client.set_model_version_tag(NAME, "2", FEATURES_DIGEST, digest(canonical(swapped)))
        client.set_model_version_tag(NAME, "2", "artifact_sha256", digest(model.read_text()))
        assert refuses_to_score(copy, "signature says")


@pytest.mark.parametrize("file", ["reference.json", "recipe.json"])
def test_a_record_replaced_with_its_digest_set_anew_is_noticed(settled, copy, file):
    [path] = model_files(settled.settings, "2", file)
    with put_back(settled, path) as client:
        record = json.loads(path.read_text())
        if isinstance(record, list):
            record[0]["counts"][1] += 500
        else:
            record["rounds"] += 1
        path.write_text(json.dumps(record))
        client.set_model_version_tag(NAME, "2", digest_tag(file), digest(canonical(record)))
        assert any(digest_tag(file) in problem for problem in problems(copy))
        assert refuses_to_score(copy, "not what became champion")


def test_a_champion_whose_files_are_gone_is_called_so(settled, copy):
    [model] = model_files(settled.settings, "2")
    with put_back(settled, model):
        model.unlink()
        assert any("gone" in problem for problem in problems(copy))
        with pytest.raises(GoneError):
            copy.run(PREDICTIONS, SEPTEMBER)


def test_another_tracking_store_has_no_champion(settled, copy, tmp_path, spark):
    other = Settings(
        home=tmp_path,
        git_sha="test",
        mlflow_tracking_uri=f"sqlite:///{tmp_path / 'other.db'}",
    )
    with pytest.raises(ModelError, match="no such version"):
        Runner(other, spark).run(PREDICTIONS, SEPTEMBER)


def test_drift_is_measured_only_against_a_model_that_was_champion(settled, copy):
    copy.run(PREDICTIONS, SEPTEMBER)
    path = str(copy.lakehouse.path(PREDICTIONS))
    rows = DeltaTable(path).to_pandas()
    for name in DeltaTable(path).metadata().configuration:
        if name.startswith("delta.constraints."):
            DeltaTable(path).alter.drop_constraint(name.split(".")[-1])
    write_deltalake(path, rows.assign(model_sha256="0" * 64), mode="overwrite")
    with pytest.raises(ModelError, match="never was champion"):
        copy.run(DRIFT, SEPTEMBER)


def test_a_statement_taken_out_of_mlflow_is_noticed(settled, copy):
    client = mlflow_client(settled.settings)
    stated = client.get_registered_model(NAME).tags[STATEMENT]
    client.delete_registered_model_tag(NAME, STATEMENT)
    try:
        assert any("MLflow does not state" in problem for problem in problems(copy))
    finally:
        client.set_registered_model_tag(NAME, STATEMENT, stated)
    assert champion_at(copy, SEPTEMBER) == ("2", AUGUST)


def test_the_previous_champion_is_the_one_before_the_newest_not_the_first(settled):
    first, second = history(settled).events
    third = replace(second, sequence=3, model_version="3")
    assert ChampionHistory(NAME, (first, second, third)).previous == second


def test_the_digest_of_an_event_covers_every_other_column(settled):
    newest = history(settled).newest
    for column in sorted(asdict(newest).keys() - {"digest"}):
        other = replace(newest, **{column: f"another {column}"})
        assert other.content_digest != newest.content_digest, column
