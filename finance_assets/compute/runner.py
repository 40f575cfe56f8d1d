"""The local runner: give a step its context and run it here."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from finance_assets.lakehouse.publish import Origin
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.lakehouse.windows import Window
from finance_assets.ml.registry import ModelRegistry
from finance_assets.settings import Settings
from finance_assets.steps.step import Step, StepContext, StepResult

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def open_lakehouse(
    settings: Settings, session: "Callable[[], SparkSession] | None" = None
) -> Lakehouse:
    """The lakehouse of these settings; without a session only its commit log can be read."""
    return Lakehouse(settings.lakehouse_root, session or _no_session, settings.publish_attempts)


def open_registry(
    settings: Settings, open_run: Callable[[], object] | None = None
) -> ModelRegistry:
    """The model registry of these settings."""
    return ModelRegistry(
        settings.tracking_uri, settings.artifact_root, settings.mlflow_ui_url, open_run
    )


def run_step(
    step: Step,
    window: Window,
    *,
    settings: Settings,
    session: "Callable[[], SparkSession]",
    run_id: str,
    report: Callable[[str], None],
    open_run: Callable[[], object] | None = None,
) -> StepResult:
    """Run a step over a window in this process."""
    context = StepContext(
        window=window,
        lakehouse=open_lakehouse(settings, session),
        registry=open_registry(settings, open_run),
        settings=settings,
        origin=Origin(run_id, settings.code_sha),
        report=report,
    )
    return step.run(context)


def _no_session() -> "SparkSession":
    raise RuntimeError("this lakehouse was opened for its commit log only")
