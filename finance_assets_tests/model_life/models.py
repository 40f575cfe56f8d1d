"""Running the model steps directly: shared by the tests of a model's life."""

from mlflow import MlflowClient

from finance_assets.compute.runner import open_context
from finance_assets.ml.model_files import digest
from finance_assets.model_life.chain import read_history
from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.model_life.decision_log import read_decisions
from finance_assets.model_life.holdout_looks import looks_contract
from finance_assets.model_life.judging import Judge
from finance_assets.steps.model_steps import model_steps
from finance_assets_tests.model_life.leaves import with_leaves
from finance_assets_tests.scenario import CALENDAR, MODEL, TABLE_STEPS

CANDIDATE, EVALUATION, DECISION, PREDICTIONS, DRIFT = (
    step.key for step in model_steps(MODEL, CALENDAR, TABLE_STEPS)
)
HISTORY = champion_history_contract(MODEL.name).table
LOOKS = looks_contract(MODEL).table
NAME = MODEL.name


def run_model_steps(runner, as_of, spec=MODEL, keys=(CANDIDATE, EVALUATION, DECISION)):
    """Candidate, evaluation and decision as of a month; the result of the last."""
    by_key = {step.key: step for step in model_steps(spec, CALENDAR, TABLE_STEPS)}
    return [runner.run(key, as_of, step=by_key[key]) for key in keys][-1]


def judge(spec):
    """What judges candidates of a model that a test declares."""
    return Judge(spec, CALENDAR, TABLE_STEPS)


def context(runner):
    """A context outside any step, as the commands have it."""
    return open_context(
        runner.settings, lambda: runner.spark, run_id="test", report=lambda message: None
    )


def mlflow_client(settings):
    """MLflow's client of a home, whatever registry another test has pointed the process at."""
    return MlflowClient(settings.tracking_uri, settings.tracking_uri)


def aliases(settings):
    """Version by alias, as MLflow says it."""
    found = mlflow_client(settings).get_registered_model(NAME).aliases
    return {alias: str(version) for alias, version in found.items()}


def history(runner):
    """The champion history as it is now."""
    return read_history(runner.lakehouse, NAME)


def events(runner):
    """Every change of champion: what happened, to which version, in place of which."""
    return [(e.event, e.model_version, e.replaces) for e in history(runner).events]


def champion_at(runner, partition):
    """Version and as-of partition of the champion in force at a partition."""
    event = history(runner).in_force(partition)
    return (event.model_version, event.as_of) if event else None


def decided(runner):
    """Every decision of the gate: candidate, and what became of it."""
    found = read_decisions(runner.lakehouse, MODEL)
    return [(one.candidate_version, one.outcome) for one in found]


def decision(runner, as_of):
    """The newest decision as of a partition: what became of it, and the failed criteria."""
    found = [d for d in read_decisions(runner.lakehouse, MODEL) if d.as_of == as_of][-1]
    return found.outcome, found.failed_criteria.split(",") if found.failed_criteria else []


def model_files(settings, version, pattern="model.json"):
    """Files of a registered version under MLflow's artifacts."""
    found = mlflow_client(settings).get_model_version(NAME, version)
    model_id = found.source.rsplit("/", 1)[-1]
    root = settings.root / "mlflow" / "artifacts"
    folders = [p for p in root.rglob("*") if p.name in (model_id, found.run_id)]
    return [file for folder in folders for file in folder.rglob(pattern)]


def report_of(settings, version, partition):
    """The monitoring report of a partition, from the run of the champion that is judged in it."""
    client = mlflow_client(settings)
    run_id = client.get_model_version(NAME, version).run_id
    name = f"monitoring/{partition}.html"
    assert name in [file.path for file in client.list_artifacts(run_id, "monitoring")]
    [file] = model_files(settings, version, name)
    return file.read_text()


def negate_leaves(settings, version):
    """Turn a stored model upside down, and register the new digest as if nothing had happened."""
    [path] = model_files(settings, version)
    path.write_text(with_leaves(path.read_text(), lambda value: -value))
    mlflow_client(settings).set_model_version_tag(
        NAME, version, "artifact_sha256", digest(path.read_text())
    )
