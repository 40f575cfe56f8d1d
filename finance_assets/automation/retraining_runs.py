"""What a run of the retraining job says of why it was asked for, and by whom; and what is said
where a cause is not tried again.
"""

from finance_assets.automation.runs import CAUSE_TAG, NO_RETRIES
from finance_assets.automation.work import LastRun
from finance_assets.model_life.people import system_user
from finance_assets.monitoring.retraining import RetrainingRequest
from finance_assets.step.use_case import UseCase

REASON_TAG, ASKED_BY_TAG = "retraining_reason", "retraining_asked_by"
# Who asked, if no person did.
SENSOR = "sensor"
# Dagster shows tags whole.
LONGEST = 500


def by_sensor(use_case: UseCase, request: RetrainingRequest) -> dict[str, str]:
    """The tags of a run that the sensor asks for."""
    return {
        **NO_RETRIES,
        REASON_TAG: request.reason[:LONGEST],
        ASKED_BY_TAG: SENSOR,
        CAUSE_TAG: cause_of(use_case, request),
        "use_case": use_case.name,
    }


def by_hand(reason: str) -> dict[str, str]:
    """The tags of a run that a person asks for."""
    return {**NO_RETRIES, REASON_TAG: reason[:LONGEST], ASKED_BY_TAG: system_user()}


def cause_of(use_case: UseCase, request: RetrainingRequest) -> str:
    """The cause of a request, told from those of other use cases."""
    return f"{use_case.name}:{request.key}"


def run_key(cause: str, tried: LastRun | None) -> str:
    """The key by which Dagster runs a cause once, and once more after each run that left nothing.

    It was killed; or it succeeded, and is asked for again as the tables know nothing of it: they
    were deleted or restored since.
    """
    return f"{cause}:after-{tried.run_id[:8]}" if tried else cause


def refusal(use_case: UseCase, request: RetrainingRequest, tried: LastRun) -> str:
    """Why a cause is not tried again by itself, and what a person does."""
    return (
        f"{request.reason}: run {tried.run_id[:8]} failed on just this. Mend what it says; then "
        f"`finance-assets retrain {use_case.name} --as-of {request.as_of} --reason …`. Other "
        "outcomes bring another try by themselves"
    )
