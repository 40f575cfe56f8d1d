"""Assets on an ephemeral instance: what Dagster and Delta hold after a run, good or bad."""

from dataclasses import replace

import dagster as dg
import pytest

from finance_assets.assets.metadata import BY_PARTITION, asset_key
from finance_assets.definitions import build_defs
from finance_assets.lakehouse.audit import CheckOutcome
from finance_assets.lakehouse.publication import Ledger, Publication
from finance_assets.step.declaration import Kind, StepResult
from finance_assets_tests.model_life.models import mlflow_client
from finance_assets_tests.scenario import (
    APRIL,
    BRONZE,
    CHAMPION_HISTORY,
    DECISION,
    EVALUATION,
    FEATURES,
    GOLD,
    JUNE,
    LABELS,
    LATE_BRONZE,
    LATE_SILVER,
    MAY,
    NAME,
    SILVER,
    USE_CASE,
    Statement,
    deliver,
    deliver_sample,
    delivered,
    node,
    statements,
)
from finance_assets_tests.shop import Shop
from finance_assets_tests.test_time import DAYS

TABLES = [BRONZE, SILVER, GOLD, FEATURES]
MODELS = [f"models.{NAME}_{name}" for name in ("candidate", "evaluation", "decision")]


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def materialize(instance, keys, partition=None, tags=None, **more):
    """Materialise these assets as a person would from the UI; `tags` can name a range."""
    defs = build_defs(use_cases={NAME: USE_CASE})
    assets = [defs.resolve_assets_def(asset_key(key)) for key in keys]
    return dg.materialize(
        assets,
        instance=instance,
        partition_key=partition,
        tags=tags,
        raise_on_error=False,
        **more,
    )


def range_tags(first, last):
    return {
        "dagster/asset_partition_range_start": first,
        "dagster/asset_partition_range_end": last,
    }


def failure_of(result) -> str:
    [event] = [event for event in result.all_events if event.is_step_failure]
    data = event.step_failure_data
    return data.user_failure_data.description if data.user_failure_data else str(data.error)


def materialized(instance, key):
    return set(instance.get_materialized_partitions(asset_key(key)))


def test_a_run_records_materialisation_version_schema_and_every_check(settings, instance):
    deliver(settings.landing, APRIL, *statements(APRIL))
    result = materialize(instance, [BRONZE, SILVER], APRIL)
    assert result.success
    materialization = result.asset_materializations_for_node(node(SILVER))[0]
    assert materialization.partition == APRIL
    assert materialization.metadata["dagster/partition_row_count"].value == 3
    assert materialization.metadata["rows_delivered"].value == 3
    assert materialization.metadata["delta_version"].value > 0
    content = materialization.metadata["content_fingerprint"].value
    assert materialization.tags["dagster/data_version"] == content
    lineage = materialization.metadata["dagster/column_lineage"].value
    [source] = lineage.deps_by_column["bill_ntd"]
    assert (source.asset_key, source.column_name) == (asset_key(BRONZE), "bill_ntd")
    checks = {e.check_name: e for e in result.get_asset_check_evaluations()}
    assert {"schema", "keys_unique", "row_conservation", "rule_age_plausible"} <= set(checks)
    assert all(check.passed for check in checks.values())


def test_each_partition_of_a_range_shows_its_own_rows_and_how_late_they_came(settings, instance):
    deliver(settings.landing, APRIL, *statements(APRIL))
    deliver(settings.landing, MAY, *statements(MAY)[:2])
    result = materialize(instance, [BRONZE, SILVER], tags=range_tags(APRIL, MAY))
    bronze, silver = shown(result, BRONZE), shown(result, SILVER)
    rows = [silver[p]["dagster/partition_row_count"].value for p in (APRIL, MAY)]
    assert rows == [3, 2]
    # Two months of some 30 days, and years later.
    apart = bronze[APRIL]["hours_late"].value - bronze[MAY]["hours_late"].value
    assert apart == pytest.approx(31 * 24, abs=0.1)
    assert bronze[MAY]["hours_late"].value > 20 * 365 * 24
    # Who takes over the same again learns nothing of when it came.
    again = shown(materialize(instance, [BRONZE], tags=range_tags(APRIL, MAY)), BRONZE)
    assert "hours_late" not in again[APRIL]


def shown(result, key):
    """The metadata of each partition that was materialised."""
    events = result.asset_materializations_for_node(node(key))
    return {event.partition: event.metadata for event in events}


def test_check_evaluations_are_kept_per_partition(settings, instance):
    deliver(settings.landing, APRIL, *statements(APRIL))
    deliver(settings.landing, MAY, *statements(MAY, pay_status="1"))
    materialize(instance, [BRONZE, SILVER], APRIL)
    materialize(instance, [BRONZE, SILVER], MAY)
    key = dg.AssetCheckKey(asset_key(SILVER), "rule_pay_status_1_rare")
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
    found = {r.partition: r.status.value for r in records}
    assert found == {APRIL: "SUCCEEDED", MAY: "FAILED"}


def test_preview_rows_do_not_show_personal_data(settings, instance):
    deliver(settings.landing, APRIL, Statement(account_id="4711471147"))
    result = materialize(instance, [BRONZE, SILVER], APRIL)
    for key in (BRONZE, SILVER):
        [materialization] = result.asset_materializations_for_node(node(key))
        preview = materialization.metadata["preview"].value
        assert "3913" in preview
        assert "4711471147" not in preview


def test_a_missing_delivery_fails_the_step_with_where_and_remedy(settings, instance):
    result = materialize(instance, [BRONZE], APRIL)
    assert not result.success
    message = failure_of(result)
    assert "DeliveryError: the delivery is missing" in message
    assert delivered(APRIL) in message
    assert "remedy:" in message
    assert materialized(instance, BRONZE) == set()


def test_a_failed_blocking_check_is_recorded_and_nothing_is_materialised(settings, instance):
    deliver(settings.landing, APRIL, *statements(APRIL), "rub", "bish")
    result = materialize(instance, [BRONZE, SILVER, GOLD], APRIL)
    assert not result.success
    assert f"{SILVER} is unchanged" in failure_of(result)
    broken = [e.check_name for e in result.get_asset_check_evaluations() if not e.passed]
    assert broken == ["quarantine_share"]
    assert materialized(instance, BRONZE) == {APRIL}
    assert materialized(instance, SILVER) == set()
    assert materialized(instance, GOLD) == set()


def test_a_backfill_takes_a_range_of_months_in_a_single_run(settings, instance):
    deliver_sample(settings.landing, 50, [APRIL, MAY, JUNE])
    result = materialize(instance, TABLES, tags=range_tags(APRIL, JUNE))
    assert result.success
    for key in TABLES:
        assert materialized(instance, key) == {APRIL, MAY, JUNE}


def test_a_training_materialised_by_hand_ends_its_mlflow_run_and_shows_plots(settings, instance):

    deliver_sample(settings.landing, 3000, [APRIL, MAY, JUNE])
    tables = [*TABLES, LATE_BRONZE, LATE_SILVER, LABELS]
    assert materialize(instance, tables, tags=range_tags(APRIL, JUNE)).success
    result = materialize(instance, MODELS, JUNE)
    assert result.success
    client = mlflow_client(settings)
    [run] = client.search_runs([client.get_experiment_by_name(NAME).experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.tags["dagster_run_id"] == result.run_id
    for tag in ("use_case", "env", "owner", "git_sha", "dataset_version", "train_window"):
        assert run.data.tags[tag], tag
    assert run.data.params["max_leaves"] == "15"
    assert 0.7 < run.data.metrics["holdout_auc"] < 1
    plots = {f.path for f in client.list_artifacts(run.info.run_id, "plots")}
    assert plots == {
        f"plots/{n}.png" for n in ("roc", "calibration", "lift", "importance", "fairness")
    }
    [version] = client.search_model_versions(f"name='{NAME}'")
    assert {"artifact_sha256", "fingerprint", "as_of"} <= set(version.tags)
    [shown] = result.asset_materializations_for_node(node(EVALUATION))
    assert shown.metadata["roc"].value.startswith("![roc](data:image/png;base64,")
    decided = result.asset_materializations_for_node(node(DECISION))[-1]
    assert decided.metadata["model_card"].value.startswith(f"# Model card: {NAME} v1")
    history = instance.get_latest_materialization_event(asset_key(CHAMPION_HISTORY))
    stated = history.asset_materialization.metadata[BY_PARTITION].value
    assert set(stated) == {NAME}
    # Again, unchanged: no new version, and no MLflow run is opened at all.
    assert materialize(instance, MODELS, JUNE).success
    assert len(client.search_model_versions(f"name='{NAME}'")) == 1
    assert len(client.search_runs([run.info.experiment_id])) == 1


def test_a_training_that_breaks_ends_its_mlflow_run_as_failed(settings, instance, monkeypatch):

    from finance_assets.ml import tracking

    deliver_sample(settings.landing, 1000, [APRIL, MAY, JUNE])
    tables = [*TABLES, LATE_BRONZE, LATE_SILVER, LABELS]
    assert materialize(instance, tables, tags=range_tags(APRIL, JUNE)).success

    def burst(name, candidate):
        raise OSError("artifact store is full")

    monkeypatch.setattr(tracking, "log_model", burst)
    result = materialize(instance, MODELS[:1], JUNE)
    assert not result.success
    client = mlflow_client(settings)
    [run] = client.search_runs([client.get_experiment_by_name(NAME).experiment_id])
    assert run.info.status == "FAILED"
    assert materialized(instance, MODELS[0]) == set()


def test_training_too_early_says_when_it_can_begin(settings, instance):
    result = materialize(instance, MODELS[:1], MAY)
    assert not result.success
    assert "train as of 2005-06 or later" in failure_of(result)


def bytes_of_a_range(settings, count):
    """What Dagster's log holds of a run of monitoring over so many days, which says much."""
    first = DAYS.first
    days = replace(DAYS, last=DAYS.shift(first, count - 1))
    shop = Shop(days, 1).use_case()
    [step] = [step for step in shop.pipeline_steps if step.kind is Kind.monitoring]
    names = tuple(days.partitions())

    def says_much(ctx):
        ledgers = {p: Ledger(1, 1) for p in names}
        prints = dict.fromkeys(names, "1:1")
        made = Publication(step.key, first, names[-1], ledgers, prints, {}, "run", "sha", version=1)
        return StepResult(
            outcomes=[CheckOutcome(c, True, "1", dict.fromkeys(names, 1)) for c in step.checks],
            publication=made,
            changed=names,
            fingerprints=prints,
            ledgers=ledgers,
            by_partition={p: {"evidence": "moved " * 30} for p in names},
            plots={"Drift": b"\0" * 20_000},
            documents={"model_card": "text " * 1000},
        )

    replaced = tuple(replace(s, run=says_much) if s is step else s for s in shop.steps)
    defs = build_defs(use_cases={"shop": replace(shop, steps=replaced)})
    key = asset_key(step.key)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [defs.resolve_assets_def(key)], instance=instance, tags=range_tags(first, names[-1])
        )
        seen = shown(result, step.key)
        said = {p: metadata[BY_PARTITION].value for p, metadata in seen.items()}
        assert said == {p: {p: {"evidence": "moved " * 30}} for p in names}
        assert [p for p in names if "Drift" in seen[p]] == [names[-1]]
        logs = instance.all_logs(result.run_id)
        return sum(len(dg.serialize_value(entry)) for entry in logs)


def test_what_a_range_run_writes_into_dagsters_log_grows_with_its_length_and_no_faster(settings):
    short, long = bytes_of_a_range(settings, 10), bytes_of_a_range(settings, 40)
    assert long < 4.2 * short
