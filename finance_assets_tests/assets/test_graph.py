"""The asset graph as Dagster sees it, against a snapshot a person can read."""

import datetime
import json
import os
from pathlib import Path

import dagster as dg
import pytest

from finance_assets.assets.metadata import asset_key
from finance_assets.definitions import build_defs
from finance_assets.use_cases import ALL

SNAPSHOT = Path(__file__).parent / "asset_graph.json"


@pytest.fixture(scope="module")
def graph():
    return build_defs().resolve_asset_graph()


def described(graph) -> dict:
    """Assets with what a change of would be noticed by users."""
    assets = {}
    for key in sorted(graph.get_all_asset_keys(), key=str):
        node = graph.get(key)
        checks = sorted(k.name for k in graph.get_check_keys_for_assets({key}))
        assets[".".join(key.path)] = {
            "upstream": sorted(".".join(parent.path) for parent in node.parent_keys),
            "group": node.group_name,
            "kinds": sorted(node.kinds),
            "owners": sorted(node.owners),
            "partitions": node.partitions_def
            and [
                node.partitions_def.get_first_partition_key(),
                node.partitions_def.get_last_partition_key(),
            ],
            "runs_per_backfill": node.backfill_policy
            and str(node.backfill_policy.policy_type.value),
            "checks": checks,
        }
    return assets


def test_the_asset_graph_is_the_one_in_the_snapshot(graph):
    """After a wanted change: UPDATE_SNAPSHOTS=1 pytest finance_assets_tests/assets."""
    found = json.dumps(described(graph), indent=1) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(found)
    assert found == SNAPSHOT.read_text()


def test_every_step_is_an_asset_with_all_its_checks(graph):
    for use_case in ALL.values():
        for step in use_case.steps:
            declared = {check.name for check in step.checks}
            found = {k.name for k in graph.get_check_keys_for_assets({asset_key(step.key)})}
            assert found == declared, step.key


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

    gold, silver = "gold.credit_account_months", "silver.credit_statements"
    assert upstream(gold, silver, "2005-07") == ["2005-05", "2005-06", "2005-07"]
    assert upstream(gold, silver, "2005-04") == ["2005-04"]
    labels = "labels.credit_default"
    assert upstream(labels, gold, "2005-07") == ["2005-06"]
    champion = "models.credit_default_decision"
    assert upstream("predictions.credit_default", champion, "2005-07") == [
        "2005-04",
        "2005-05",
        "2005-06",
    ]


def test_jobs_together_run_every_asset_and_none_twice():
    defs = build_defs()
    names = ("credit_default_monthly", "credit_default_retraining")
    selected = [set(defs.resolve_job_def(name).asset_layer.selected_asset_keys) for name in names]
    assert selected[0] & selected[1] == set()
    graph = defs.resolve_asset_graph()
    assert selected[0] | selected[1] == set(graph.executable_asset_keys)
    assert graph.external_asset_keys == {
        asset_key("models.credit_default_champion_history"),
        asset_key("monitoring.credit_default_holdout_looks"),
    }


def test_the_schedule_asks_for_the_month_that_ended():
    defs = build_defs()
    schedule = defs.get_schedule_def("credit_default_monthly_schedule")

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
        policy = graph.get(key).freshness_policy
        assert (policy is not None) == (key.path[0] == "bronze")
        if policy is not None:
            days = (policy.warn_window.to_timedelta().days, policy.fail_window.to_timedelta().days)
            assert days == (35, 45)
