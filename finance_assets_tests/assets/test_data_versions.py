"""Data versions follow the content: what ran again over the same content makes nothing stale."""

import dagster as dg
import pytest

from finance_assets.assets.data_versions import (
    DATA_VERSION_TAG,
    FINGERPRINT,
    data_versions,
    restored,
)
from finance_assets.assets.metadata import asset_key
from finance_assets.cli.play import Progress, play_partition
from finance_assets.definitions import build_defs
from finance_assets_tests.assets.test_asset_runs import (
    TABLES,
    instance,  # noqa: F401
    materialize,
    range_tags,
)
from finance_assets_tests.scenario import (
    APRIL,
    BRONZE,
    EVALUATION,
    GOLD,
    JUNE,
    MAY,
    SILVER,
    USE_CASE,
    deliver_sample,
)


def stale(instance) -> set[tuple[str, str]]:  # noqa: F811
    """Every partition that Dagster's UI would show as unsynced."""
    from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
    from dagster._core.loader import LoadingContextForTest

    graph = build_defs().resolve_asset_graph()
    resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    return {
        (key.to_user_string(), partition)
        for key in graph.materializable_asset_keys
        for partition in USE_CASE.calendar.partitions()
        if resolver.get_status(key, partition) is StaleStatus.STALE
    }


@pytest.mark.slow
def test_nothing_is_stale_after_the_months_were_played_twice(settings, instance):  # noqa: F811
    months = [APRIL, MAY, JUNE]
    deliver_sample(settings.landing, 2000, months)
    defs, quiet = build_defs(), Progress(lambda *_: None, lambda *_: None)
    for month in [*months, *months]:
        play_partition(defs, instance, USE_CASE, month, quiet)
    done = instance.get_materialized_partitions(asset_key(EVALUATION))
    assert JUNE in done
    assert stale(instance) == set()


def test_a_range_run_over_the_same_content_makes_no_month_stale(settings, instance):  # noqa: F811
    deliver_sample(settings.landing, 40, [APRIL, MAY, JUNE])
    for month in (APRIL, MAY, JUNE):
        assert materialize(instance, TABLES, month).success
    assert stale(instance) == set()
    assert materialize(instance, [BRONZE, SILVER], tags=range_tags(APRIL, JUNE)).success
    assert stale(instance) == set()


def test_a_month_run_after_a_range_run_makes_stale_only_what_reads_new_content(
    settings,
    instance,  # noqa: F811
):
    deliver_sample(settings.landing, 40, [APRIL, MAY, JUNE])
    assert materialize(instance, TABLES, tags=range_tags(APRIL, JUNE)).success
    assert materialize(instance, [BRONZE, SILVER], MAY).success
    assert stale(instance) == set()
    deliver_sample(settings.landing, 30, [JUNE])
    assert materialize(instance, [BRONZE, SILVER], tags=range_tags(APRIL, JUNE)).success
    assert stale(instance) == {(GOLD.replace(".", "/"), JUNE)}


def test_a_redelivery_makes_the_next_table_stale_until_it_ran(settings, instance):  # noqa: F811
    deliver_sample(settings.landing, 40, [APRIL, MAY])
    assert materialize(instance, [BRONZE, SILVER, GOLD], tags=range_tags(APRIL, MAY)).success
    deliver_sample(settings.landing, 30, [APRIL])
    assert materialize(instance, [BRONZE], APRIL).success
    assert stale(instance) == {(SILVER.replace(".", "/"), APRIL)}
    assert materialize(instance, [SILVER], APRIL).success
    assert stale(instance) == {
        (GOLD.replace(".", "/"), APRIL),
        (GOLD.replace(".", "/"), MAY),
    }
    assert materialize(instance, [GOLD], tags=range_tags(APRIL, MAY)).success
    assert stale(instance) == set()


def test_a_long_range_is_compared_with_what_was_recorded_of_it_in_one_question(
    instance,  # noqa: F811
    monkeypatch,
):
    key, names = asset_key(SILVER), [f"2005-{n:02}" for n in range(40)]
    for name in names:
        event = dg.AssetMaterialization(
            key, partition=name, metadata={FINGERPRINT: name}, tags={DATA_VERSION_TAG: f"v{name}"}
        )
        instance.report_runless_asset_event(event)
    asked, ask = [], dg.DagsterInstance.fetch_materializations

    def counted(self, *args, **more):
        asked.append(args)
        return ask(self, *args, **more)

    monkeypatch.setattr(dg.DagsterInstance, "fetch_materializations", counted)
    found = data_versions(instance, key, {**dict(zip(names, names, strict=True)), "new": "x"})
    assert found.kept == {name: f"v{name}" for name in names}
    assert [event.partition for event in restored(instance, key, found)] == names
    assert len(asked) == 2
