"""Settings: read once, validated loudly, and every one of them documented."""

import subprocess
from pathlib import Path

import pytest

from finance_assets import settings as settings_module
from finance_assets.errors import SettingsError
from finance_assets.settings import DatabricksSettings, Settings, get_settings

EXAMPLE = (Path(__file__).parents[1] / ".env.example").read_text()


@pytest.mark.parametrize("kind", [Settings, DatabricksSettings])
def test_the_example_names_every_setting_and_no_other(kind):
    prefix = kind.model_config["env_prefix"]
    for name in kind.model_fields:
        assert f"{prefix}{name.upper()}=" in EXAMPLE, name


def test_the_example_names_no_setting_that_does_not_exist():
    known = {
        f"{kind.model_config['env_prefix']}{name.upper()}"
        for kind in (Settings, DatabricksSettings)
        for name in kind.model_fields
    }
    lines = [line.lstrip("# ").split("=")[0] for line in EXAMPLE.splitlines() if "=" in line]
    named = {name for name in lines if name.startswith("FINANCE_ASSETS_")}
    assert named == known


@pytest.mark.parametrize("name", ["COMPUTE", "DATABRICKS_SHAPE"])
def test_a_value_that_a_setting_does_not_take_is_named(monkeypatch, name):
    monkeypatch.setenv(f"FINANCE_ASSETS_{name}", "moon")
    get_settings.cache_clear()
    with pytest.raises(SettingsError, match=f"FINANCE_ASSETS_{name}"):
        get_settings()
    get_settings.cache_clear()


@pytest.mark.parametrize(
    "given",
    [
        {"COMPUTE": "databricks"},
        {"STORAGE": "/Volumes/main/finance_assets/staging"},
        {"COMPUTE": "databricks", "CATALOG": ""},
    ],
)
def test_tables_in_a_volume_are_refused_at_the_edge(monkeypatch, given):
    for name, value in given.items():
        monkeypatch.setenv(f"FINANCE_ASSETS_{name}", value)
    get_settings.cache_clear()
    with pytest.raises(SettingsError, match="cannot lie in a volume"):
        get_settings()
    monkeypatch.setenv("FINANCE_ASSETS_CATALOG", "main")
    get_settings.cache_clear()
    assert get_settings().catalog == "main"
    get_settings.cache_clear()


@pytest.mark.parametrize("name", ["a b", "jürgen", "50%", "x#y", "[x"])
def test_a_home_that_the_embedded_engine_would_miss_is_refused(monkeypatch, tmp_path, name):
    monkeypatch.setenv("FINANCE_ASSETS_HOME", str(tmp_path / name))
    get_settings.cache_clear()
    with pytest.raises(SettingsError, match="cannot keep tables"):
        get_settings()
    monkeypatch.setenv("FINANCE_ASSETS_ENGINE", "spark")
    get_settings.cache_clear()
    assert get_settings().root == tmp_path / name
    get_settings.cache_clear()


def test_the_commit_is_told_by_its_number_though_a_tag_names_it(tmp_path, monkeypatch):
    def git(*words):
        done = subprocess.run(
            ["git", "-c", "user.name=me", "-c", "user.email=me@example.com", *words],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "one")
    git("tag", "-a", "v1.0", "-m", "one")
    monkeypatch.setattr(settings_module, "__file__", str(tmp_path / "settings.py"))
    assert settings_module._git_sha() == git("rev-parse", "--short=12", "HEAD")
