"""The same steps on the JVM: every table equals that of the embedded engine."""

import json

import pytest

from finance_assets.lakehouse.folder import FolderTable
from finance_assets_tests.scenario import (
    APRIL,
    JULY,
    LATE_BRONZE,
    LATE_SILVER,
    TABLE_STEPS,
    USE_CASE,
    deliver_sample,
)


def rows(home, step) -> list[str]:
    """The stored rows without clock readings and ids of runs and commits, in a fixed order."""
    volatile = {c.name for c in step.contract.columns if c.is_volatile}
    skipped = volatile | {"run_id", "fingerprint", "dataset_version", "data_version"}
    skipped |= {"gate_report", "decision_id", "recorded_at"}
    layer, entity = step.key.split(".")
    stored = FolderTable(step.key, home / "lakehouse" / layer / entity).rows()
    kept = ({k: v for k, v in sorted(row.items()) if k not in skipped} for row in stored)
    return sorted(json.dumps(row, default=str) for row in kept)


DISTRIBUTED = """
import json, sys
from dataclasses import replace
from finance_assets.compute.runner import open_registry
from finance_assets.compute.sessions import open_session
from finance_assets.settings import get_settings
from finance_assets_tests.ml.evidence import EASY_GATE
from finance_assets_tests.scenario import APRIL, JULY, JUNE, MODEL, Runner
from finance_assets_tests.model_life.models import DECISION, NAME, PREDICTIONS, run_model_steps

settings = get_settings()
settings.prepare_home()
runner = Runner(settings, open_session(settings))
params = {"max_depth": 4, "learning_rate": 0.1}
spec = replace(
    MODEL, gate=EASY_GATE, params=params, rounds=40, search=None, is_distributed=True
)
runner.run_tables(APRIL, JULY)
run_model_steps(runner, JUNE, spec)
runner.run(PREDICTIONS, JULY)
[row] = runner.rows(DECISION, "1")
scored = runner.rows(PREDICTIONS)
print("RESULT" + json.dumps({
    "decision": row["outcome"],
    "report": row["gate_report"],
    "tags": open_registry(settings).version(NAME, "1").tags,
    "rows": len(scored),
    "explained": sum(r["reason_1"] is not None for r in scored),
    "high": sum(r["band"] == "high" for r in scored),
}))
"""


@pytest.fixture(scope="module")
def on_the_jvm(tmp_path_factory, jvm):
    """A home whose tables and distributed model were made on the JVM, and what was said of it."""
    root = tmp_path_factory.mktemp("made")
    (root / "landing").mkdir()
    deliver_sample(root / "landing", 3000)
    said = jvm.run(DISTRIBUTED, root / "home", root / "landing")
    [line] = [line for line in said.splitlines() if line.startswith("RESULT")]
    return root / "home", json.loads(line.removeprefix("RESULT"))


@pytest.mark.slow
@pytest.mark.jvm
def test_the_distributed_trainer_gives_a_model_that_lives_like_any_other(on_the_jvm):
    _, result = on_the_jvm
    verdicts = {v["name"]: v for v in json.loads(result["report"])["verdicts"]}
    assert result["tags"]["model_family"] == "xgboost"
    assert verdicts["artifact"]["is_passed"], verdicts["artifact"]["observed"]
    assert verdicts["discrimination"]["is_passed"], verdicts["discrimination"]["observed"]
    assert result["decision"] == "promoted", result["report"]
    assert result["rows"] == 3000
    assert result["explained"] == result["high"] > 0


@pytest.mark.slow
@pytest.mark.jvm
def test_tables_made_on_the_jvm_equal_those_of_the_embedded_engine(on_the_jvm, runner, settings):
    """Those of a catalog, and with a model: databricks/test_governance.py."""
    home, _ = on_the_jvm
    deliver_sample(settings.landing, 3000)
    runner.run_tables(APRIL, JULY)
    filled = set()
    for step in TABLE_STEPS:
        embedded = rows(settings.root, step)
        assert rows(home, step) == embedded, step.key
        filled |= {step.key} if embedded else set()
    # Beside what need not be delivered, and was not.
    assert filled == {step.key for step in TABLE_STEPS} - {LATE_BRONZE, LATE_SILVER}


def test_the_distributed_trainer_says_what_it_needs_where_it_cannot_run(runner, settings):
    from dataclasses import replace

    from finance_assets.errors import ModelError
    from finance_assets_tests.model_life.models import CANDIDATE, run_model_steps
    from finance_assets_tests.scenario import APRIL, JUNE

    deliver_sample(settings.landing, 500)
    runner.run_tables(APRIL, JUNE)
    with pytest.raises(ModelError, match="FINANCE_ASSETS_ENGINE=spark"):
        spec = replace(USE_CASE.model, params={}, search=None, is_distributed=True)
        run_model_steps(runner, JUNE, spec, (CANDIDATE,))
