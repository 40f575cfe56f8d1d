"""Running the model steps directly: shared by the tests of a model's life."""

from mlflow import MlflowClient

from finance_assets.compute.runner import open_context
from finance_assets.steps.promotions import PROMOTIONS
from finance_assets.steps.use_case import model_steps
from finance_assets.use_cases.credit_default.use_case import CALENDAR, MODEL

CANDIDATE, EVALUATION, CHAMPION, PREDICTIONS, DRIFT = (
    step.key for step in model_steps(MODEL, CALENDAR)
)
HISTORY = PROMOTIONS.table
NAME = MODEL.name


def run_model_steps(runner, as_of, spec=MODEL, keys=(CANDIDATE, EVALUATION, CHAMPION)):
    """Candidate, evaluation and decision as of a month; the result of the last."""
    by_key = {step.key: step for step in model_steps(spec, CALENDAR)}
    return [runner.run(key, as_of, step=by_key[key]) for key in keys][-1]


def context(runner):
    """A context outside any step, as the commands have it."""
    return open_context(
        runner.settings, lambda: runner.spark, run_id="test", report=lambda message: None
    )


def aliases(settings):
    """Version by alias, as MLflow says it."""
    found = MlflowClient(settings.tracking_uri).get_registered_model(NAME).aliases
    return {alias: str(version) for alias, version in found.items()}


def decision(runner, as_of):
    """The stored decision as of a month: what became of it, and the failed criteria."""
    [row] = [r for r in runner.rows(CHAMPION, "1") if r["as_of_month"] == as_of]
    return row["decision"], row["failed_criteria"].split(",") if row["failed_criteria"] else []
