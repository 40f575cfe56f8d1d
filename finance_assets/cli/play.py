"""Play: take a use case through its partitions, as production would have, on the real instance.

Each partition runs the pipeline; then the retraining sensor is asked, as Dagster's daemon would
ask it, and what it requests is run. Which steps a job has, and whether to retrain, is decided
elsewhere.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import dagster as dg
from dagster._core.events import RunFailureReason

from finance_assets.assets.metadata import asset_key
from finance_assets.automation.run_failures import what_failed
from finance_assets.automation.runs import RANGE_TAGS
from finance_assets.automation.sensors import build_retraining_sensor, wanted_retraining
from finance_assets.cli.events import Began, Ended, SensorSpoke, StepBegan, StepEnded, Tell
from finance_assets.compute.alive import held
from finance_assets.errors import RunFailedError
from finance_assets.settings import get_settings
from finance_assets.step.coming import steps_that_can_run
from finance_assets.step.declaration import Step
from finance_assets.step.names import pipeline_job_name, retraining_job_name
from finance_assets.step.use_case import UseCase
from finance_assets.steps.ingest import has_come

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
RUN_KEY_TAG = "dagster/run_key"
SENSOR_TAG = "dagster/sensor_name"


@dataclass(frozen=True)
class Progress:
    """What is told while partitions go by: a step began or ended, a sensor spoke."""

    step: Callable[[str, str, str], None]
    sensor: Callable[[str, str], None]


def play_use_case(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    use_case: UseCase,
    through: str | None,
    tell: Tell,
) -> None:
    """Take a use case through its partitions, the past in one run.

    Raises:
        RunFailedError: a run failed.
    """

    def on_step(_: str, key: str, event: str) -> None:
        if event == "STEP_START":
            tell(StepBegan(key))
        elif event == "STEP_SUCCESS":
            tell(StepEnded())

    told = Progress(on_step, lambda partition, text: tell(SensorSpoke(partition, text)))
    partitions = use_case.calendar.through(through)
    past = [p for p in partitions if p < (use_case.played_from or "")]
    if past:
        tables = sum(step.kind.is_table for step in use_case.pipeline_steps)
        tell(Began(f"{past[0]} … {past[-1]}", tables))
        play_past(defs, instance, use_case, past, told)
        tell(Ended())
    for partition in partitions[len(past) :]:
        kept = _runnable(use_case, partition)
        if not kept:
            continue
        tell(Began(partition, len(kept)))
        some = None if kept == use_case.pipeline_steps else kept
        play_partition(defs, instance, use_case, partition, told, some)
        tell(Ended())


def _runnable(use_case: UseCase, partition: str) -> tuple[Step, ...]:
    """What of its pipeline a partition can run, by the deliveries that lie here."""
    come = partial(has_come, get_settings(), use_case.name, use_case.samples)
    return steps_that_can_run(use_case, partition, lambda step: come(step, partition))


def play_partition(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    use_case: UseCase,
    partition: str,
    progress: Progress,
    steps: Sequence[Step] | None = None,
) -> None:
    """Run one partition, or some steps of it, and whatever retraining it brings about.

    Raises:
        RunFailedError: a run failed.
    """
    some = None if steps is None else [asset_key(step.key) for step in steps]
    tags = {} if steps is None else dict.fromkeys(RANGE_TAGS, partition)
    run_job(defs, instance, pipeline_job_name(use_case), partition, tags, progress, some)
    _retrain(defs, instance, use_case, partition, progress)


def play_past(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    use_case: UseCase,
    past: Sequence[str],
    progress: Progress,
) -> None:
    """Make the tables of these partitions in one run, and train what can be trained as of then.

    Raises:
        RunFailedError: a run failed.
    """
    tables = [asset_key(step.key) for step in use_case.steps if step.kind.is_table]
    named = f"{past[0]}..{past[-1]}"
    tags = dict(zip(RANGE_TAGS, (past[0], past[-1]), strict=True))
    run_job(defs, instance, pipeline_job_name(use_case), named, tags, progress, tables)
    _retrain(defs, instance, use_case, past[-1], progress)


def _retrain(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    use_case: UseCase,
    partition: str,
    progress: Progress,
) -> None:
    """Ask as the sensor does, and run what is requested, until nothing is.

    A person runs this: what failed before is tried again.
    """
    name = build_retraining_sensor(use_case).name
    while True:
        tick = wanted_retraining(instance, use_case, by_person=True)
        if not isinstance(tick, dg.RunRequest):
            reason = tick.skip_message if isinstance(tick, dg.SkipReason) else "no answer"
            progress.sensor(partition, str(reason))
            return
        as_of = str(tick.partition_key)
        progress.sensor(partition, f"retraining as of {as_of}: {tick.tags['retraining_reason']}")
        tags = {**tick.tags, RUN_KEY_TAG: str(tick.run_key), SENSOR_TAG: name}
        run_job(defs, instance, retraining_job_name(use_case), as_of, tags, progress)


def run_job(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    job_name: str,
    partition: str,
    tags: dict[str, str],
    progress: Progress,
    only: list[dg.AssetKey] | None = None,
) -> None:
    """Run a job for a partition in this process; or some of its assets, for the range in the tags.

    Raises:
        RunFailedError: the run failed.
        KeyboardInterrupt: it was interrupted; Dagster itself would only call it failed.
    """
    run_id = str(uuid.uuid4())
    instance.add_event_listener(run_id, lambda entry: _tell(entry, partition, progress))
    with held(get_settings(), run_id), _ended(instance, run_id):
        result = defs.resolve_job_def(job_name).execute_in_process(
            run_config=QUIET,
            instance=instance,
            partition_key=None if only else partition,
            asset_selection=only,
            tags=tags,
            run_id=run_id,
            raise_on_error=False,
        )
    if not result.success:
        if any(_is_interruption(event) for event in result.all_events):
            raise KeyboardInterrupt
        raise _failure(result, job_name, partition)


@contextmanager
def _ended(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """An interrupted run does not stay started: between two steps Dagster does not end it."""
    try:
        yield
    except BaseException:
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            instance.report_run_canceled(run, "interrupted; what was committed stays")
        raise


def _tell(entry: Any, partition: str, progress: Progress) -> None:
    event = entry.dagster_event
    if event is not None and event.is_step_event and event.step_key:
        progress.step(partition, event.step_key.replace("__", "."), event.event_type_value)


def _is_interruption(event: dg.DagsterEvent) -> bool:
    if event.event_type is not dg.DagsterEventType.RUN_FAILURE:
        return False
    return event.job_failure_data.failure_reason is RunFailureReason.UNEXPECTED_TERMINATION


def _failure(result: Any, job_name: str, partition: str) -> RunFailedError:
    failures = [e for e in result.all_events if e.is_step_failure]
    first = failures[0] if failures else None
    what, step = "the run failed", job_name
    if first is not None:
        what = what_failed(first.step_failure_data)
        step = str(first.step_key).replace("__", ".")
    return RunFailedError(
        what,
        where=f"{step}, partition {partition}, run {result.run_id}",
        remedy="mend the cause and run again: what is done is not done twice; "
        "`make dev` shows the run",
    )
