"""Governing: a workspace with a champion and a held candidate, and people who ask it things.

The use case is the shipped one with a lenient gate, and with approval required unless a test says
otherwise: what a team would write into its own copy. It runs from a wheel of its own, as there.
"""

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from typer.testing import CliRunner

from finance_assets.cli.main import app
from finance_assets.compute.databricks.client import RunClient
from finance_assets.compute.databricks.payload import build_wheel
from finance_assets.compute.databricks.pipes import Person
from finance_assets.compute.databricks.work import of_steps
from finance_assets.settings import get_settings
from finance_assets.step.declaration import Step, StepResult
from finance_assets.steps.model_steps import model_steps
from finance_assets_tests.ml.evidence import EASY_GATE
from finance_assets_tests.model_life.models import (
    CANDIDATE,
    DECISION,
    DRIFT,
    EVALUATION,
    PREDICTIONS,
)
from finance_assets_tests.scenario import (
    APRIL,
    CALENDAR,
    JULY,
    JUNE,
    MODEL,
    NAME,
    TABLE_STEPS,
    USE_CASE,
)

ADA = "ada@example.com"
MODEL_FILE = f"finance_assets/use_cases/{NAME}/model.py"
LENIENT = f"""

from finance_assets.ml.tasks.binary.criteria import *
from finance_assets.ml.spec import Approval

GATE = {EASY_GATE!r}
"""
MODEL_STEPS = (CANDIDATE, EVALUATION, DECISION)
# A check of a step: which, whether it passed, and what it says.
Said = tuple[str, str, bool, str]


def lenient_wheel(folder: Path, more: str = "approval=Approval.required,") -> Path:
    """The package's wheel with the other gate, and with what else its model shall declare."""
    target = folder / build_wheel().name
    with zipfile.ZipFile(build_wheel()) as source, zipfile.ZipFile(target, "w") as changed:
        for name in source.namelist():
            text = source.read(name)
            if name == MODEL_FILE:
                given = "gate=GATE,"
                assert text.decode().count(given) == 1
                text = (text.decode().replace(given, f"{given} {more}") + LENIENT).encode()
            changed.writestr(name, text)
    return target


def lenient_steps() -> dict[str, Step]:
    """The steps about a model as such a wheel without more has them, by key."""
    steps = model_steps(replace(MODEL, gate=EASY_GATE), CALENDAR, TABLE_STEPS)
    return {step.key: step for step in steps}


def govern(approved: Callable[[], None]) -> list[Said]:
    """Somebody trains v1, which somebody else approves, and v2, which is held; July is scored by v1
    and measured. What the checks said.
    """
    done = [
        _run(APRIL, JULY, *(step.key for step in TABLE_STEPS)),
        _run(JUNE, JUNE, *MODEL_STEPS),
    ]
    approved()
    done += [_run(JULY, JULY, *keys) for keys in ((PREDICTIONS,), MODEL_STEPS, (DRIFT,))]
    return [
        (key, outcome.check.name, outcome.is_passed, outcome.observed)
        for results in done
        for key, result in results.items()
        for outcome in result.outcomes
    ]


def _run(first, last, *keys) -> dict[str, StepResult]:
    """Run steps on the workspace without Dagster."""
    settings, steps = get_settings(), [USE_CASE.step(key) for key in keys]
    window = USE_CASE.calendar.window(first, last)
    name = f"{first} {last} {keys[0]}"
    done = dict(
        RunClient(settings).stream(
            Person(name, lambda text: None), of_steps(settings, steps, window, name)
        )
    )
    assert all(done[key].publication for key in keys), done
    return done


def asked(*arguments):
    """What a person's command says: it must succeed."""
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output
    return done.stdout


def asked_json(*arguments):
    """The same, parsed."""
    return json.loads(asked(*arguments, "--json"))


def refused(*arguments):
    """What a command says that must fail with one of our errors."""
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 1, done.output
    assert isinstance(done.exception, SystemExit), repr(done.exception)
    assert "Traceback" not in done.output
    assert "where:" in done.output
    assert "remedy:" in done.output
    return " ".join(done.output.split())
