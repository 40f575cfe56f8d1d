"""The asset graph as Dagster sees it, against a snapshot a person can read."""

import datetime
import os
from pathlib import Path

import dagster as dg
import pytest

from finance_assets.assets.described import described
from finance_assets.assets.metadata import asset_key
from finance_assets.definitions import build_defs
from finance_assets.lakehouse.contract import Severity
from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.model_life.holdout_looks import looks_contract
from finance_assets.model_life.performance_log import monitoring_contracts
from finance_assets.step.names import pipeline_job_name, retraining_job_name
from finance_assets.use_cases import all_use_cases
from finance_assets_tests.scenario import (
    DECISION,
    GOLD,
    LABELS,
    NAME,
    PREDICTIONS,
    SILVER,
)

SNAPSHOTS = Path(__file__).parents[1] / "use_cases"


@pytest.fixture(scope="module")
def graph():
    return build_defs().resolve_asset_graph()


@pytest.mark.parametrize("name", all_use_cases())
def test_the_assets_of_a_use_case_are_those_in_its_snapshot(graph, name):
    """After a wanted change: UPDATE_SNAPSHOTS=1 pytest finance_assets_tests/assets."""
    found = described(graph, name)
    snapshot = SNAPSHOTS / name / "asset_graph.json"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.write_text(found)
    assert found == snapshot.read_text()


def test_every_step_is_an_asset_with_all_its_checks_and_those_block_that_are_declared_to(graph):
    for use_case in all_use_cases().values():
        for step in use_case.steps:
            declared = {check.name: check.severity is Severity.block for check in step.checks}
            keys = graph.get_check_keys_for_assets({asset_key(step.key)})
            specs = [graph.get_check_spec(key) for key in keys]
            assert {spec.name: spec.blocking for spec in specs} == declared, step.key


def test_every_asset_shows_schema_owner_description_and_code_version(graph):
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description
        assert node.owners
        assert node.code_version or not node.is_executable
        schema = node.metadata["dagster/column_schema"]
        assert all(column.description for column in schema.columns)


def test_upstream_partitions_follow_the_inputs(graph):
    def upstream(child: str, parent: str, partition: str) -> list[str]:
        mapping = graph.get_partition_mapping(asset_key(child), asset_key(parent))
        node, other = graph.get(asset_key(child)), graph.get(asset_key(parent))
        subset = node.partitions_def.subset_with_partition_keys([partition])
        result = mapping.get_upstream_mapped_partitions_result_for_partitions(
            subset, node.partitions_def, other.partitions_def
        )
        return sorted(result.partitions_subset.get_partition_keys())

    gold, silver = GOLD, SILVER
    assert upstream(gold, silver, "2005-07") == ["2005-05", "2005-06", "2005-07"]
    assert upstream(gold, silver, "2005-04") == ["2005-04"]
    labels = LABELS
    assert upstream(labels, gold, "2005-07") == ["2005-06"]
    champion = DECISION
    assert upstream(PREDICTIONS, champion, "2005-07") == [
        "2005-04",
        "2005-05",
        "2005-06",
    ]


def test_jobs_together_run_every_asset_and_none_twice():
    defs = build_defs()
    use_cases = all_use_cases().values()
    names = [name(u) for u in use_cases for name in (pipeline_job_name, retraining_job_name)]
    selected = [defs.resolve_job_def(name).asset_layer.selected_asset_keys for name in names]
    graph = defs.resolve_asset_graph()
    assert sorted(key for keys in selected for key in keys) == sorted(graph.executable_asset_keys)
    assert graph.external_asset_keys == {
        asset_key(contract.table)
        for u in use_cases
        for contract in (
            champion_history_contract(u.name),
            looks_contract(u.model),
            *monitoring_contracts(u.model),
        )
    }


def test_the_schedule_asks_for_the_month_that_ended():
    defs = build_defs()
    schedule = defs.get_schedule_def(f"{NAME}_pipeline_schedule")

    def ticked(*when):
        tick = datetime.datetime(*when, tzinfo=datetime.UTC)
        context = dg.build_schedule_context(
            scheduled_execution_time=tick, repository_def=defs.get_repository_def()
        )
        return schedule.evaluate_tick(context)

    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 6 3 * *", "UTC")
    [request] = ticked(2005, 8, 3, 6).run_requests
    assert request.partition_key == "2005-07"
    assert "no partition that is due" in ticked(2026, 8, 3, 6).skip_message


def test_a_source_that_delivers_nothing_is_late_after_a_month_and_some_days(graph):
    for key in graph.get_all_asset_keys():
        if graph.get(key).group_name != NAME:
            continue
        policy = graph.get(key).freshness_policy
        assert (policy is not None) == (key.path[0] == "bronze")
        if policy is not None and graph.get(key).group_name == NAME:
            days = (policy.warn_window.to_timedelta().days, policy.fail_window.to_timedelta().days)
            assert days == (35, 45)
