"""Runs, as Dagster's log has them: those of a use case that are in flight, and those whose
process is gone.
"""

import logging
from collections.abc import Iterable, Mapping

import dagster as dg

from finance_assets.assets.metadata import asset_key
from finance_assets.automation.work import LastRun
from finance_assets.compute.alive import forget, left_behind
from finance_assets.compute.runner import open_registry
from finance_assets.settings import Settings, get_settings
from finance_assets.step.declaration import Step
from finance_assets.step.names import pipeline_job_name, retraining_job_name
from finance_assets.step.use_case import UseCase

logger = logging.getLogger(__name__)

PARTITION_TAG, KILLED_TAG = "dagster/partition", "finance_assets/killed"
# By these Dagster names the range of a backfill that is one run.
RANGE_TAGS = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
# What a run was requested for.
CAUSE_TAG = "finance_assets/cause"
# What a sensor asked for it asks for again by itself, if it was killed; of other killed runs
# Dagster's run retries take care.
NO_RETRIES = {"dagster/max_retries": "0"}
GONE = (
    "the process of this run is gone (killed, or its machine went down); what was committed stays"
)
ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def is_of(run: dg.DagsterRun, use_case: UseCase, steps: Iterable[Step] | None = None) -> bool:
    """Whether a run is the use case's; of some of its steps, if they are named."""
    jobs = {pipeline_job_name(use_case): use_case.pipeline_steps}
    jobs[retraining_job_name(use_case)] = use_case.model_steps
    wanted = {step.key for step in (use_case.steps if steps is None else steps)}
    if run.job_name in jobs:
        return any(step.key in wanted for step in jobs[run.job_name])
    return any(asset_key(key) in (run.asset_selection or ()) for key in wanted)


def in_flight(
    instance: dg.DagsterInstance, use_case: UseCase, steps: Iterable[Step] | None = None
) -> list[dg.DagsterRun]:
    """The runs of a use case that did not end yet; those whose process is gone end now."""
    end_left_behind(instance, get_settings())
    found = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    return [run for run in found if is_of(run, use_case, steps)]


def newest_ended(
    instance: dg.DagsterInstance, tags: Mapping[str, str], job_name: str | None = None
) -> LastRun | None:
    """The newest ended run that has these tags, as Dagster's log has it."""
    wanted = dg.RunsFilter(job_name=job_name, tags=dict(tags), statuses=ENDED)
    runs = instance.get_runs(wanted, limit=1)
    if not runs:
        return None
    [run] = runs
    cause, killed = run.tags.get(CAUSE_TAG, ""), 0
    if KILLED_TAG in run.tags:
        alike = {**tags, CAUSE_TAG: cause, KILLED_TAG: "true"}
        killed = instance.get_runs_count(dg.RunsFilter(job_name=job_name, tags=alike))
    return LastRun(run.run_id, cause, run.is_success, killed=killed)


def end_left_behind(
    instance: dg.DagsterInstance, settings: Settings, *, with_trainings: bool = True
) -> list[str]:
    """Mark the runs whose process was killed as failed, and their trainings; their ids.

    Dagster is told first. A run whose trainings cannot be ended, as MLflow does not answer, or
    which are somebody else's to end, is looked at again.
    """
    ended = []
    for run_id in left_behind(settings):
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            instance.add_run_tags(run_id, {KILLED_TAG: "true"})
            instance.report_run_failed(run, GONE)
            ended.append(run_id)
        if with_trainings and (run is None or _are_trainings_ended(settings, run_id)):
            forget(settings, run_id)
    return ended


def _are_trainings_ended(settings: Settings, run_id: str) -> bool:
    try:
        _end_trainings(settings, run_id)
    except Exception as error:  # noqa: BLE001 - the run is marked, whatever MLflow says
        logger.warning("MLflow was not told that run %s was killed: %s", run_id, error)
        return False
    return True


def _end_trainings(settings: Settings, run_id: str) -> None:
    """End the MLflow runs that a killed Dagster run left as running, with a search's trials."""
    if not settings.mlflow_tracking_uri and not (settings.root / "mlflow" / "mlflow.db").exists():
        return
    client = open_registry(settings).client
    experiments = [one.experiment_id for one in client.search_experiments()]
    open_runs = "attributes.status = 'RUNNING' AND tags."
    for training in client.search_runs(experiments, f"{open_runs}dagster_run_id = '{run_id}'"):
        own = training.info.run_id
        for trial in client.search_runs(experiments, f"{open_runs}`mlflow.parentRunId` = '{own}'"):
            client.set_terminated(trial.info.run_id, "KILLED")
        client.set_terminated(own, "KILLED")
