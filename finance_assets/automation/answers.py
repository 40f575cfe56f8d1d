"""Answers: the candidates that people asked for, as Dagster's log of runs has them."""

import math
from collections.abc import Sequence
from itertools import product

import dagster as dg
from dagster._core.definitions.assets.job.asset_job import IMPLICIT_ASSET_JOB_NAME

from finance_assets.automation.retraining_runs import ASKED_BY_TAG, SENSOR
from finance_assets.automation.runs import PARTITION_TAG, RANGE_TAGS, is_of
from finance_assets.lakehouse.history import TableHistory
from finance_assets.monitoring.retraining_facts import Answer
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


def said_by(instance: dg.DagsterInstance, triages: TableHistory, partition: str) -> float:
    """When the stored verdict on a partition was there for people to see: when the run that made
    it had ended. Seconds since 1970.

    A run that the log has forgotten is older than all it knows; nobody has answered one that is
    still on its way.
    """
    made = triages.publication_of(partition)
    record = instance.get_run_record_by_id(made.run_id) if made and made.run_id else None
    if record is None:
        return 0.0
    return math.inf if record.end_time is None else record.end_time
