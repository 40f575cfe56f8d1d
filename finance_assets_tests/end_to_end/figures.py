"""What a run of a use case on its shipped samples comes to: models, predictions, verdicts.

The figures of the use case that the framework is tested on are kept in its tests' folder as
figures.json, and test_run.py compares every run with them. A change that means to change them
writes them anew, after `finance-assets run --use-case NAME` in an empty home:

    python -m finance_assets_tests.end_to_end.figures NAME HOME > .../use_cases/NAME/figures.json

What the tables hold before there is a model is kept beside it, in tables.json.
"""

import json
import platform
import sys
from pathlib import Path

from finance_assets.commands.state import State
from finance_assets.commands.status import Status
from finance_assets.compute.runner import open_context
from finance_assets.lakehouse.stored import no_engine
from finance_assets.ml.families import family_of
from finance_assets.model_life.contracts import prediction_contract
from finance_assets.model_life.decision_log import read_decisions
from finance_assets.settings import Settings
from finance_assets.use_cases import all_use_cases

# Of a digest, what a person compares; equal beginnings of this length are no chance.
SHOWN = 16
# Beyond this many digits another processor may sum up otherwise.
DIGITS = 9


def figures(name: str, home: Path) -> dict:
    """The figures of a use case that was run in a home, in the order in which they came about."""
    use_case = all_use_cases()[name]
    ctx = open_context(Settings(home=home), no_engine, run_id="figures", report=lambda _: None)
    state = Status().run(ctx, use_case)
    digests = {
        decision.candidate_version: decision.model_sha256[:SHOWN]
        for decision in read_decisions(ctx.lakehouse, use_case.model)
    }
    history = ctx.lakehouse.history(prediction_contract(use_case.model).table)
    contents = {p: history.publication_of(p).fingerprints[p] for p in state.predictions}
    return {
        "library": family_of(use_case.model.family).library,
        "processor": platform.machine(),
        "models": {one["version"]: one for one in _models(state, digests)},
        "predictions": {
            partition: f"{one.rows} rows by v{one.model_version}, content {contents[partition]}"
            for partition, one in state.predictions.items()
        },
        "verdicts": {
            partition: f"{one.verdict}: {one.action}, largest PSI {one.max_psi:.{DIGITS}g}"
            for partition, one in state.drift.items()
        },
    }


def without_bytes(found: dict) -> dict:
    """The figures that another kind of processor gives as well: its models are equal to the
    shown digits, and not to the byte.
    """
    models = {
        version: {k: v for k, v in one.items() if k != "model_sha256"}
        for version, one in found["models"].items()
    }
    scored = {p: said.partition(", content")[0] for p, said in found["predictions"].items()}
    return {**found, "models": models, "predictions": scored, "processor": ""}


def _models(state: State, digests: dict[str, str]) -> list[dict]:
    return [
        {
            "version": one.version,
            "as_of": one.as_of,
            "decision": one.decision,
            "model_sha256": digests[one.version],
            "holdout": {k: float(f"{v:.{DIGITS}g}") for k, v in one.metrics.items()},
        }
        for one in state.candidates
    ]


if __name__ == "__main__":
    print(json.dumps(figures(sys.argv[1], Path(sys.argv[2])), indent=1))
