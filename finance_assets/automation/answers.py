"""Answers: the candidates that people asked for, as Dagster's log of runs has them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import product

import dagster as dg
from dagster._core.definitions.assets.job.asset_job import IMPLICIT_ASSET_JOB_NAME

from finance_assets.automation.retraining_runs import ASKED_BY_TAG, SENSOR
from finance_assets.automation.runs import PARTITION_TAG, RANGE_TAGS, is_of
from finance_assets.lakehouse.history import TableHistory
from finance_assets.monitoring.retraining_facts import Answer, DriftFinding
from finance_assets.step.declaration import Kind
from finance_assets.step.names import retraining_job_name
from finance_assets.step.use_case import UseCase


def people_asked(
    instance: dg.DagsterInstance, use_case: UseCase, partitions: Sequence[str]
) -> tuple[Answer, ...]:
    """What people had trained and decided as of these partitions: by the command, or in Dagster's
    UI, where the job is the one of any assets.

    All of it, however many runs there were; the log is asked for no others.
    """
    decisions = [step for step in use_case.model_steps if step.kind is Kind.decision]
    jobs = retraining_job_name(use_case), IMPLICIT_ASSET_JOB_NAME
    found = []
    for job, tag in product(jobs, (PARTITION_TAG, RANGE_TAGS[1])):
        wanted = dg.RunsFilter(
            job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS], tags={tag: partitions}
        )
        for record in instance.get_run_records(wanted):
            run = record.dagster_run
            if run.tags.get(ASKED_BY_TAG) != SENSOR and is_of(run, use_case, decisions):
                found.append(Answer(run.tags[tag], record.create_timestamp.timestamp()))
    return tuple(found)


def with_moments(
    instance: dg.DagsterInstance,
    findings: Iterable[DriftFinding],
    holds: Collection[DriftFinding],
    triages: TableHistory,
) -> tuple[DriftFinding, ...]:
    """The findings with the moment at which each of these holds was told: when its run began.

    A run that the log has forgotten is older than all it knows.
    """
    told = []
    for finding in findings:
        made = triages.publication_of(finding.partition) if finding in holds else None
        run_id = made.run_id if made else ""
        record = instance.get_run_record_by_id(run_id) if run_id else None
        moment = record.create_timestamp.timestamp() if record else 0.0
        told.append(replace(finding, said_at=moment))
    return tuple(told)
