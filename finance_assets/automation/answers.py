"""Answers: the candidates that people asked for, as Dagster's log of runs has them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg

from finance_assets.automation.retraining_runs import ASKED_BY_TAG, SENSOR
from finance_assets.automation.runs import PARTITION_TAG, RANGE_TAGS, is_of
from finance_assets.monitoring.retraining_facts import Answer, DriftFinding
from finance_assets.step.declaration import Kind
from finance_assets.step.use_case import UseCase


def people_asked(
    instance: dg.DagsterInstance, use_case: UseCase, since: float
) -> tuple[Answer, ...]:
    """What people had trained and decided since a moment: by the command, or in Dagster's UI.

    All of it, however many runs there were: other use cases have theirs in the same log.
    """
    decisions = [step for step in use_case.model_steps if step.kind is Kind.decision]
    wanted = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.SUCCESS], created_after=datetime.fromtimestamp(since, UTC)
    )
    found = []
    for record in instance.get_run_records(wanted):
        run = record.dagster_run
        as_of = run.tags.get(PARTITION_TAG) or run.tags.get(RANGE_TAGS[1])
        if as_of and run.tags.get(ASKED_BY_TAG) != SENSOR and is_of(run, use_case, decisions):
            found.append(Answer(as_of, record.create_timestamp.timestamp()))
    return tuple(found)


def with_moments(
    instance: dg.DagsterInstance, findings: Iterable[DriftFinding], made_by: dict[str, str]
) -> tuple[DriftFinding, ...]:
    """The findings with the moment at which each hold was told: when its run began.

    `made_by`: the run of each partition. One that the log has forgotten is older than all it knows.
    """
    told = []
    for finding in findings:
        run_id = made_by.get(finding.partition, "") if finding.holds else ""
        record = instance.get_run_record_by_id(run_id) if run_id else None
        moment = record.create_timestamp.timestamp() if record else 0.0
        told.append(replace(finding, said_at=moment))
    return tuple(told)
