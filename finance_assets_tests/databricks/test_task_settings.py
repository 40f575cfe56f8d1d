"""One list of a task's settings, for Dagster's runs and for the bundle's job."""

from finance_assets.compute.databricks.task_settings import (
    ORCHESTRATOR_ONLY,
    TASK_SETTINGS,
    of_bundle,
    of_settings,
)
from finance_assets.settings import Settings


def test_every_setting_reaches_tasks_or_is_the_orchestrators_alone():
    """A new setting: give it a line in TASK_SETTINGS, or a name in ORCHESTRATOR_ONLY."""
    names = [setting.name for setting in TASK_SETTINGS]
    assert len(names) == len(set(names))
    assert set(names) | ORCHESTRATOR_ONLY == set(Settings.model_fields)
    assert not set(names) & ORCHESTRATOR_ONLY


def test_both_runners_give_a_task_the_same_settings():
    full = Settings(
        catalog="main",
        schema_prefix="dev_",
        landing="/Volumes/main/finance_assets/landing",
        archive="/Volumes/main/finance_assets/deliveries",
        archive_days=400,
        mlflow_registry_uri="databricks-uc",
        mlflow_experiment_prefix="/Shared/x/",
        mlflow_model_prefix="main.finance_assets.",
        use_cases="my_company.use_cases",
        last_partitions="shop=2024-05",
    )
    ours = [pair.partition("=")[0] for pair in of_settings(full)]
    assert ours == [pair.partition("=")[0] for pair in of_bundle()]


def test_what_is_not_set_is_left_to_the_task():
    assert not [pair for pair in of_settings(Settings()) if pair.endswith(("=", "=None"))]
