"""Tests that a machine lacks something for are skipped with the reason; in CI none is."""

import tomllib
from pathlib import Path

import pytest

from finance_assets_tests import left_out
from finance_assets_tests.left_out import NEEDED

REASON = "there is no moon here"


@pytest.fixture
def moonless(monkeypatch):
    """A machine outside CI that lacks what tests of the moon need."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setitem(NEEDED, "moon", (lambda: False, REASON))
    monkeypatch.setitem(NEEDED, "sun", (lambda: True, "there is no sun here"))


def test_what_is_missing_is_left_out_with_its_reason(moonless):
    assert left_out.left_out({"moon", "sun", "slow"}) == {"moon": REASON}
    assert left_out.left_out({"sun", "slow"}) == {}


def test_in_ci_nothing_is_left_out(moonless, monkeypatch):
    monkeypatch.setenv("CI", "true")
    assert left_out.left_out({"moon"}) == {}


def test_what_may_be_left_out_are_markers_of_the_project():
    project = Path(__file__).parents[1] / "pyproject.toml"
    options = tomllib.loads(project.read_text())["tool"]["pytest"]["ini_options"]
    assert set(NEEDED) <= {marker.partition(":")[0] for marker in options["markers"]}
