"""Failed runs, as Dagster's log has them: which step failed, and why, in a line."""

import time
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from finance_assets.automation.alerts import FailedRun
from finance_assets.automation.maintenance import JOB as MAINTENANCE
from finance_assets.automation.maintenance import op_name
from finance_assets.automation.runs import PARTITION_TAG, RANGE_TAGS, is_of
from finance_assets.step.use_case import UseCase

# A week: what happened longer ago is no news.
NEWS_SECONDS = 7 * 86_400
RUNS_AT_ONCE = 200


def news_since() -> datetime:
    """The moment from which on people are told of what happened."""
    return datetime.fromtimestamp(time.time() - NEWS_SECONDS, UTC)


def innermost(error: Any) -> str:
    """What first went wrong, in a line; the whole stack is in the run's events."""
    while error is not None and error.cause is not None:
        error = error.cause
    return str(error.message).strip().partition("\n")[0] if error is not None else "no reason given"


def what_failed(data: Any) -> str:
    """Why a step failed: what its failure says, else the innermost error."""
    user = data.user_failure_data
    said = user.description if user and user.description else innermost(data.error)
    return str(said).strip()


def failed_runs(instance: dg.DagsterInstance, use_case: UseCase) -> tuple[FailedRun, ...]:
    """The runs of a use case that failed lately, oldest first."""
    wanted = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=news_since())
    records = instance.get_run_records(wanted, limit=RUNS_AT_ONCE)
    found = (_failed(instance, use_case, record.dagster_run) for record in reversed(records))
    return tuple(run for run in found if run is not None)


def _failed(
    instance: dg.DagsterInstance, use_case: UseCase, run: dg.DagsterRun
) -> FailedRun | None:
    is_maintenance = run.job_name == MAINTENANCE
    if not is_maintenance and not is_of(run, use_case):
        return None
    failures = list(_step_failures(instance, run.run_id))
    if is_maintenance:
        own = op_name(use_case)
        failures = [failure for failure in failures if failure[0] == own]
        if not failures:
            return None
    partition = run.tags.get(PARTITION_TAG) or run.tags.get(RANGE_TAGS[0])
    return FailedRun(
        run.run_id,
        "a run of assets" if run.job_name.startswith("__") else run.job_name,
        partition or "",
        tuple(key.replace("__", ".") for key, _ in failures),
        what_failed(failures[0][1]).partition("\n")[0] if failures else _said(instance, run.run_id),
        _failed_checks(data for _, data in failures),
    )


def _step_failures(instance: dg.DagsterInstance, run_id: str) -> Iterator[tuple[str, Any]]:
    for record in instance.get_records_for_run(
        run_id, of_type=dg.DagsterEventType.STEP_FAILURE
    ).records:
        event = record.event_log_entry.dagster_event
        # A step that only waited for another one that failed says nothing of its own.
        if event is not None and event.step_key:
            yield event.step_key, event.step_failure_data


def _failed_checks(failures: Iterator[Any]) -> tuple[str, ...]:
    """Names of the blocking checks that refused rows, as the failures state them."""
    names: Collection[str] = []
    for data in failures:
        stated = (data.user_failure_data.metadata if data.user_failure_data else {}) or {}
        value = stated.get("failed_checks")
        names = [*names, *(value.value if value is not None else ())]
    return tuple(dict.fromkeys(names))


def _said(instance: dg.DagsterInstance, run_id: str) -> str:
    """What a run without a failed step says of its end."""
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.RUN_FAILURE).records
    event = records[-1].event_log_entry.dagster_event if records else None
    return str(event.message).partition("\n")[0] if event is not None and event.message else ""
