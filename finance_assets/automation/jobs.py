"""Jobs: per use case the pipeline of a partition, and the retraining."""

from typing import Any

import dagster as dg

from finance_assets.assets.metadata import asset_key
from finance_assets.assets.partitions import partitions_of
from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.step.declaration import Kind, Step
from finance_assets.step.names import pipeline_job_name, retraining_job_name
from finance_assets.step.use_case import UseCase


def build_jobs(use_case: UseCase) -> list[Any]:
    """The jobs of a use case, partitioned by its calendar."""
    return [
        _job(
            pipeline_job_name(use_case),
            use_case,
            use_case.pipeline_steps,
            "One partition: delivery to tables, scoring with the champion in force, drift.",
        ),
        _job(
            retraining_job_name(use_case),
            use_case,
            use_case.model_steps,
            "As of one partition: candidate, evaluation, gate, promotion.",
        ),
    ]


def _job(name: str, use_case: UseCase, steps: tuple[Step, ...], description: str) -> Any:
    keys = (step.key.split(".") for step in steps)
    selection: dg.AssetSelection = dg.AssetSelection.assets(*keys)
    if any(step.kind is Kind.decision for step in steps):
        history = asset_key(champion_history_contract(use_case.name).table)
        selection |= dg.AssetSelection.checks_for_assets(history)
    return dg.define_asset_job(
        name,
        selection=selection,
        partitions_def=partitions_of(use_case.calendar),
        description=description,
        tags={"use_case": use_case.name},
    )
