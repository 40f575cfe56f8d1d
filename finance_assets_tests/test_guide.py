"""The guide docs/add_a_use_case.md: the code on that page, word for word, becomes a champion."""

import re
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from finance_assets.model_life.chain import read_history
from finance_assets.settings import get_settings
from finance_assets.step.declaration import Kind
from finance_assets.use_cases import all_use_cases
from finance_assets_tests.running import UseCaseRunner

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "add_a_use_case.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# (\S+\.py)\n")
SUBSCRIBERS = 2500


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(GUIDE.read_text()) if kind == language]


@pytest.fixture
def use_case(tmp_path, monkeypatch):
    """The use case of the guide, from a package that is found by the setting."""
    for text in blocks("python"):
        named = NAMED.match(text)
        assert named, f"a block without a file name: {text[:60]}"
        file = tmp_path / named[1]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    for folder in [p for p in (tmp_path / "my_company").rglob("*") if p.is_dir()]:
        (folder / "__init__.py").touch()
    (tmp_path / "my_company" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield import_module("my_company.use_cases.subscriptions.use_case").USE_CASE
    for name in [name for name in sys.modules if name.split(".")[0] == "my_company"]:
        del sys.modules[name]


def delivery(month: int, name: str) -> str:
    """A month's file, made up: those who pay much and use little, or call a lot, leave."""
    [header] = {text.splitlines()[0] for text in blocks("csv")}
    fee, calls, minutes = drawn(month)
    is_gone = cancelled(month - 1) if month else np.zeros(SUBSCRIBERS, bool)
    rows = (
        f"{i},{name},{'south' if i % 2 else 'north'},{fee[i]:.2f},{calls[i]},"
        f"{'NA' if i % 50 == 0 else minutes[i]},{'yes' if is_gone[i] else 'no'}"
        for i in range(SUBSCRIBERS)
    )
    return "\n".join([header, *rows]) + "\n"


def drawn(month: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng([month, 1])
    fee, calls = random.uniform(10, 40, SUBSCRIBERS), random.poisson(1.2, SUBSCRIBERS)
    return fee, calls, random.integers(0, 600, SUBSCRIBERS)


def cancelled(month: int) -> np.ndarray:
    fee, calls, minutes = drawn(month)
    is_disappointed = (fee > 22) & (minutes < 200)
    chance = 1 / (1 + np.exp(3.2 - 2.2 * is_disappointed - 0.6 * calls))
    return np.random.default_rng([month, 2]).random(SUBSCRIBERS) < chance


def test_the_code_of_the_guide_becomes_a_champion_that_scores(use_case, settings, spark):
    runner = UseCaseRunner(use_case, settings, spark)
    months = use_case.calendar.partitions()
    for number, month in enumerate(months):
        (runner.folder() / f"subscriptions_{month}.csv").write_text(delivery(number, month))
    as_of, after = months[3], months[4]
    runner.run_tables(months[0], after)
    runner.run_model(as_of)
    decisions = runner.rows(runner.key(Kind.decision))
    events = read_history(runner.lakehouse, use_case.name).events
    assert [(e.event, e.effective_from) for e in events] == [("promoted", after)], str(decisions)
    runner.run_scoring(after)
    predictions = runner.rows(runner.key(Kind.scoring))
    assert len(predictions) == SUBSCRIBERS
    assert {row["band"] for row in predictions} == {"low", "high"}
    drift = {row["variable"] for row in runner.rows(runner.key(Kind.monitoring))}
    assert drift == {*use_case.model.feature_names, "score"}


def test_the_setting_that_the_guide_names_finds_it(use_case, settings, monkeypatch):
    [exported] = [
        line for text in blocks("console") for line in text.splitlines() if "CASES" in line
    ]
    name, _, package = exported.split()[1].partition("=")
    monkeypatch.setenv(name, package)
    get_settings.cache_clear()
    assert all_use_cases()[use_case.name].title == use_case.title


def test_the_guide_names_files_that_exist():
    for link in re.findall(r"\]\(([^)#]+)\)", GUIDE.read_text()):
        assert (GUIDE.parent / link).exists(), link
