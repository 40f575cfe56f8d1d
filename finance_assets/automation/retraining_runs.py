"""What a run of the retraining job says of why it was asked for, and by whom."""

import dagster as dg

from finance_assets.automation.runs import CAUSE_TAG, KILLED_TAG, NO_RETRIES
from finance_assets.automation.work import MAX_KILLED
from finance_assets.model_life.people import system_user
from finance_assets.monitoring.retraining import RetrainingRequest
from finance_assets.step.use_case import UseCase

REASON_TAG, ASKED_BY_TAG = "retraining_reason", "retraining_asked_by"
# Dagster shows tags whole.
LONGEST = 500


def by_sensor(use_case: UseCase, request: RetrainingRequest) -> dict[str, str]:
    """The tags of a run that the sensor asks for."""
    return {
        **NO_RETRIES,
        REASON_TAG: request.reason[:LONGEST],
        ASKED_BY_TAG: "sensor",
        CAUSE_TAG: f"{use_case.name}:{request.key}",
        "use_case": use_case.name,
    }


def run_key(instance: dg.DagsterInstance, cause: str) -> str:
    """The key by which Dagster runs a cause once; again only if its run was killed.

    What kills its process each time is not tried for ever.
    """
    killed = instance.get_runs_count(dg.RunsFilter(tags={CAUSE_TAG: cause, KILLED_TAG: "true"}))
    again = min(killed, MAX_KILLED - 1)
    return f"{cause}:again-{again}" if again else cause


def by_hand(reason: str) -> dict[str, str]:
    """The tags of a run that a person asks for."""
    return {**NO_RETRIES, REASON_TAG: reason[:LONGEST], ASKED_BY_TAG: system_user()}
