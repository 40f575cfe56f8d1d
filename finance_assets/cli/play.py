"""Play: take a use case through its partitions, as production would have, on the real instance.

Each partition runs the pipeline; then the retraining sensor is asked, as Dagster's daemon would
ask it, and what it requests is run. Which steps a job has, and whether to retrain, is decided
elsewhere.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dagster as dg

from finance_assets.automation.jobs import pipeline_job_name, retraining_job_name
from finance_assets.automation.sensors import build_retraining_sensor
from finance_assets.errors import FinanceAssetsError
from finance_assets.step.use_case import UseCase

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
RUN_KEY_TAG = "dagster/run_key"
SENSOR_TAG = "dagster/sensor_name"


class RunFailedError(FinanceAssetsError):
    """A Dagster run failed; its events are in the instance."""


@dataclass(frozen=True)
class Progress:
    """What is told while partitions go by: a step began or ended, a sensor spoke."""

    step: Callable[[str, str, str], None]
    sensor: Callable[[str, str], None]


def play_partition(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    use_case: UseCase,
    partition: str,
    progress: Progress,
) -> None:
    """Run one partition, and whatever retraining it brings about.

    Raises:
        RunFailedError: a run failed.
    """
    _execute(defs, instance, pipeline_job_name(use_case), partition, {}, progress)
    sensor = build_retraining_sensor(use_case)
    while True:
        tick = sensor(dg.build_sensor_context(instance=instance))
        if not isinstance(tick, dg.RunRequest):
            reason = tick.skip_message if isinstance(tick, dg.SkipReason) else "no answer"
            progress.sensor(partition, str(reason))
            return
        as_of = str(tick.partition_key)
        progress.sensor(partition, f"retraining as of {as_of}: {tick.tags['retraining_reason']}")
        tags = {**tick.tags, RUN_KEY_TAG: str(tick.run_key), SENSOR_TAG: sensor.name}
        _execute(defs, instance, retraining_job_name(use_case), as_of, tags, progress)


def _execute(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    job_name: str,
    partition: str,
    tags: dict[str, str],
    progress: Progress,
) -> None:
    run_id = str(uuid.uuid4())
    instance.add_event_listener(run_id, lambda entry: _tell(entry, partition, progress))
    result = defs.resolve_job_def(job_name).execute_in_process(
        run_config=QUIET,
        instance=instance,
        partition_key=partition,
        tags=tags,
        run_id=run_id,
        raise_on_error=False,
    )
    if not result.success:
        raise _failure(result, job_name, partition)


def _tell(entry: Any, partition: str, progress: Progress) -> None:
    event = entry.dagster_event
    if event is not None and event.is_step_event and event.step_key:
        progress.step(partition, event.step_key.replace("__", "."), event.event_type_value)


def _innermost(error: Any) -> str:
    """What first went wrong, in a line; the whole stack is in the run's events."""
    while error is not None and error.cause is not None:
        error = error.cause
    return str(error.message).strip().partition("\n")[0] if error is not None else "no reason given"


def _failure(result: Any, job_name: str, partition: str) -> RunFailedError:
    failures = [e for e in result.all_events if e.is_step_failure]
    first = failures[0] if failures else None
    what, step = "the run failed", job_name
    if first is not None:
        data = first.step_failure_data
        user = data.user_failure_data
        what = user.description if user and user.description else _innermost(data.error)
        step = str(first.step_key).replace("__", ".")
    return RunFailedError(
        what.strip(),
        where=f"{step}, partition {partition}, run {result.run_id}",
        remedy="mend the cause and run again: what is done is not done twice; "
        "`make dev` shows the run",
    )
