"""Outside `dev`, a candidate whose code is no commit cannot be promoted."""

from dataclasses import replace

import pytest

from finance_assets.ml.tasks.binary.criteria import RequiredTags
from finance_assets_tests.ml.evidence import EVIDENCE

COMMIT = "0a1b2c3d4e5f"


def judged(git_sha=COMMIT, env="prod", deciding=""):
    tags = {**EVIDENCE.tags, "git_sha": git_sha, "env": env}
    return RequiredTags().judge(replace(EVIDENCE, tags=tags, env=deciding))


@pytest.mark.parametrize("git_sha", [COMMIT, "0a1b2c3", "0a1b2c3d" * 5])
@pytest.mark.parametrize("env", ["dev", "staging", "prod"])
def test_a_commit_passes_everywhere(git_sha, env):
    finding = judged(git_sha, env)
    assert (finding.is_passed, finding.observed) == (True, "all there")


@pytest.mark.parametrize(
    "git_sha",
    ["x", "unknown", "test", f"{COMMIT}-dirty", "0a1b2c", "0a1b2c3d" * 5 + "0", "HEAD", "main"]
    + ["0A1B2C3", "0a1b2c3\n", " 0a1b2c3", "v1.0-3-g0a1b2c3"],
)
def test_what_is_no_commit_fails_outside_dev_and_is_named_in_it(git_sha):
    for env in ("staging", "prod", "elsewhere", "Dev", " dev"):
        finding = judged(git_sha, env)
        assert not finding.is_passed
        assert "git_sha" in finding.observed
    finding = judged(git_sha, "dev")
    assert finding.is_passed
    assert "allowed in dev: git_sha" in finding.observed


def test_a_candidate_of_another_environment_fails():
    finding = judged(COMMIT, "dev", deciding="prod")
    assert not finding.is_passed
    assert "trained in dev, judged in prod" in finding.observed
    assert judged(COMMIT, "prod", deciding="prod").is_passed


def test_a_tag_that_says_dev_does_not_excuse_a_dirty_tree_in_prod():
    finding = judged("unknown", "dev", deciding="prod")
    assert "is no commit" in finding.observed
    assert "trained in dev" in finding.observed


def test_no_commit_at_all_is_missing_even_in_dev():
    assert not judged("", "dev").is_passed
