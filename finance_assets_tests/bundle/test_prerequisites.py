"""What the pages and defaults need is made by the bundle, or by a command on the page."""

from pathlib import Path

import pytest
import yaml

from finance_assets.bundle.variables import load_bundle, resolve
from finance_assets.settings import DatabricksSettings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "databricks" / "prerequisites.md").read_text()
BUNDLE = yaml.safe_load((ROOT / "databricks.yml").read_text())


@pytest.mark.parametrize("name", ["volume", "storage"])
def test_the_volumes_of_the_default_settings_have_their_command(name):
    place = DatabricksSettings.model_fields[name].default.split("/")[2:5]
    assert f"CREATE VOLUME {'.'.join(place)};" in PAGE
    assert f"CREATE SCHEMA {'.'.join(place[:2])};" in PAGE


@pytest.mark.parametrize("name", ["deliverers", "readers", "approvers", "operators"])
def test_the_groups_that_grants_name_have_their_command(name):
    assert f"groups create --display-name {BUNDLE['variables'][name]['default']}\n" in PAGE


@pytest.mark.parametrize("target", ["dev", "staging", "prod"])
def test_the_catalog_of_every_target_has_its_command(target):
    schemas = resolve(load_bundle(ROOT), target)["resources"]["schemas"].values()
    [catalog] = {schema["catalog_name"] for schema in schemas}
    assert catalog == "main" or f"CREATE CATALOG {catalog};" in PAGE
    assert f"CREATE SCHEMA ON CATALOG {catalog} TO" in PAGE
