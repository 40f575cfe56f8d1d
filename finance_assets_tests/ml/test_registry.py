"""The registry: every version is found, however the store pages, and links lead to its pages."""

from dataclasses import replace
from functools import partial

import pytest

from finance_assets.compute.runner import open_registry

NAME = "shop"


@pytest.fixture
def registry(settings):
    """A registry with seven versions of a model."""
    found = open_registry(settings)
    experiment = found.ensure_experiment(NAME)
    found.client.create_registered_model(NAME)
    for number in range(1, 8):
        run = found.client.create_run(experiment)
        tags = {"fingerprint": f"recipe {number}"}
        found.client.create_model_version(NAME, "nowhere", run.info.run_id, tags=tags)
    return found


def test_versions_on_later_pages_are_found_newest_first(registry, monkeypatch):
    search = registry.client.search_model_versions
    monkeypatch.setattr(registry.client, "search_model_versions", partial(search, max_results=2))
    assert [version.number for version in registry.versions(NAME)] == list("7654321")
    assert registry.find(NAME, "recipe 1").number == "1"
    assert registry.find(NAME, "recipe 8") is None


def test_a_version_is_asked_for_only_once_it_is_wanted_where_a_search_gives_no_tags(
    registry, monkeypatch
):
    """As in Unity Catalog."""
    search, asked = registry.client.search_model_versions, []

    def without_tags(*given, **options):
        page = search(*given, **options)
        for version in page:
            version._tags = None
        return page

    ask = registry.client.get_model_version
    monkeypatch.setattr(registry.client, "search_model_versions", without_tags)
    monkeypatch.setattr(
        registry.client, "get_model_version", lambda *given: asked.append(given[1]) or ask(*given)
    )
    assert registry.find(NAME, "recipe 6").number == "6"
    assert asked == ["7", "6"]


@pytest.mark.parametrize(
    ("tracking_uri", "profile", "pages"),
    [
        ("", "", "http://127.0.0.1:5000/#"),
        ("databricks", "DEFAULT", "https://default.example.com/ml"),
        ("databricks://team", "team", "https://team.example.com/ml"),
    ],
)
def test_a_link_leads_to_the_page_of_the_run_where_it_is_tracked(
    registry, monkeypatch, tmp_path, tracking_uri, profile, pages
):
    if tracking_uri:
        config = tmp_path / "databrickscfg"
        host = f"https://{profile.lower()}.example.com"
        config.write_text(f"[{profile}]\nhost = {host}\ntoken = none\n")
        monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(config))
    version, client = next(registry.versions(NAME)), registry.client
    experiment = client.get_run(version.run_id).info.experiment_id
    there = replace(registry, tracking_uri=tracking_uri or registry.tracking_uri)
    there.__dict__["client"] = client
    run = f"{pages}/experiments/{experiment}/runs/{version.run_id}"
    assert there.run_url(version) == run
    assert there.card_url(version) == f"{run}/artifacts/model_card/model_card.md"
