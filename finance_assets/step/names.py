"""Names of a use case's jobs: the same in Dagster and in the bundle."""

from finance_assets.step.use_case import UseCase


def pipeline_job_name(use_case: UseCase) -> str:
    """Name of the job that takes a partition from delivery to drift."""
    return f"{use_case.name}_pipeline"


def retraining_job_name(use_case: UseCase) -> str:
    """Name of the job that trains, evaluates and decides as of a partition."""
    return f"{use_case.name}_retraining"
