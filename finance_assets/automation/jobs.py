"""Jobs: per use case the monthly run and the retraining."""

from typing import Any

import dagster as dg

from finance_assets.assets.metadata import asset_key
from finance_assets.assets.partitions import partitions_of
from finance_assets.settings import Compute, get_settings
from finance_assets.steps.champion_history import champion_history_contract
from finance_assets.steps.step import Kind, Step
from finance_assets.steps.use_case import UseCase


def monthly_job_name(use_case: UseCase) -> str:
    """Name of the job that takes a month from delivery to drift."""
    return f"{use_case.name}_monthly"


def retraining_job_name(use_case: UseCase) -> str:
    """Name of the job that trains, evaluates and decides as of a month."""
    return f"{use_case.name}_retraining"


def build_jobs(use_case: UseCase) -> list[Any]:
    """The jobs of a use case, partitioned by its calendar."""
    return [
        _job(
            monthly_job_name(use_case),
            use_case,
            use_case.monthly_steps,
            "One month: delivery to tables, scoring with the champion in force, drift.",
        ),
        _job(
            retraining_job_name(use_case),
            use_case,
            use_case.model_steps,
            "As of one month: candidate, evaluation, gate, promotion.",
        ),
    ]


def _job(name: str, use_case: UseCase, steps: tuple[Step, ...], description: str) -> Any:
    selection: dg.AssetSelection = dg.AssetSelection.assets(
        *(step.key.split(".") for step in steps)
    )
    if (
        any(step.kind is Kind.decision for step in steps)
        and get_settings().compute is Compute.local
    ):
        history = asset_key(champion_history_contract(use_case.name).table)
        selection |= dg.AssetSelection.checks_for_assets(history)
    return dg.define_asset_job(
        name,
        selection=selection,
        partitions_def=partitions_of(use_case.calendar),
        description=description,
        tags={"use_case": use_case.name},
    )
