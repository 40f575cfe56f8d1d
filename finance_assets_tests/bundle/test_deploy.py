"""The deployment's workflow fits the bundle and the clients that it calls."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / ".github" / "workflows" / "deploy.yml").read_text()
JOB = yaml.safe_load(TEXT)["jobs"]["deploy"]
VARIABLES = yaml.safe_load((ROOT / "databricks.yml").read_text())["variables"]
# github-oidc came with 0.250, Terraform's OIDC variables with 0.257.
WANTED = (0, 257)


def test_the_cli_is_new_enough_for_github_oidc():
    assert JOB["env"]["DATABRICKS_AUTH_TYPE"] == "github-oidc"
    assert JOB["permissions"]["id-token"] == "write"
    [version] = re.findall(r"databricks/setup-cli@[0-9a-f]{40} # v(\d+)\.(\d+)\.\d+", TEXT)
    assert tuple(map(int, version)) >= WANTED


def test_every_action_is_pinned_by_commit():
    used = re.findall(r"uses: (\S+)", TEXT)
    assert len(used) >= 4
    assert [use for use in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", use)] == []


def test_what_the_workflow_sets_is_declared():
    given = [name.removeprefix("BUNDLE_VAR_") for name in JOB["env"] if "BUNDLE_VAR_" in name]
    assert given == ["service_principal"]
    assert set(given) <= set(VARIABLES)


@pytest.mark.parametrize(
    "given, expected",
    [("", []), ("a@x.org", ["a@x.org"]), ("a@x.org, b@x.org", ["a@x.org", "b@x.org"])],
)
def test_addresses_reach_the_bundle_as_a_list_and_none_is_none(tmp_path, given, expected):
    [step] = [step for step in JOB["steps"] if "variable-overrides" in step.get("run", "")]
    done = subprocess.run(
        ["bash", "-ec", step["run"].replace("python -", f"{sys.executable} -")],
        cwd=tmp_path,
        env={**os.environ, "TARGET": "prod", "NOTIFICATION_ADDRESSES": given},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    [file] = tmp_path.rglob("variable-overrides.json")
    assert file.relative_to(tmp_path).parent == Path(".databricks/bundle/prod")
    found = json.loads(file.read_text())
    assert found == {"notification_addresses": expected}
    assert VARIABLES["notification_addresses"]["type"] == "complex"
    assert ("::warning::" in done.stdout) == (not expected)
