"""The local runner: give a step its context and run it here."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from finance_assets.calendar import Window
from finance_assets.lakehouse.homes import home_of
from finance_assets.lakehouse.publish import Origin
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.lakehouse.stored import no_engine
from finance_assets.ml.registry import ModelRegistry
from finance_assets.settings import Settings
from finance_assets.step.declaration import Step, StepContext, StepResult
from finance_assets.step.lineage import InputsRead, read_inputs
from finance_assets.step.presence import require_own

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Placeholder window for commands without a partition.
NO_WINDOW = Window("none", "none")


def open_lakehouse(
    settings: Settings, session: "Callable[[], SparkSession] | None" = None
) -> Lakehouse:
    """The lakehouse of these settings; without a session only its commit log can be read.

    The session is asked for once: whoever gets one that is there sends it all its settings again.
    """
    return Lakehouse(home_of(settings), cache(session or no_engine), settings.publish_attempts)


def open_registry(
    settings: Settings, open_run: Callable[[], object] | None = None
) -> ModelRegistry:
    """The model registry of these settings."""
    return ModelRegistry(
        settings.tracking_uri,
        settings.mlflow_registry_uri,
        artifact_root=settings.artifact_root,
        ui_url=settings.mlflow_ui_url,
        open_run=open_run,
        experiment_prefix=settings.mlflow_experiment_prefix,
        model_prefix=settings.mlflow_model_prefix,
    )


def open_context(
    settings: Settings,
    session: "Callable[[], SparkSession]",
    *,
    run_id: str,
    report: Callable[[str], None],
    window: Window = NO_WINDOW,
    read: InputsRead | None = None,
    inputs: Lakehouse | None = None,
    open_run: Callable[[], object] | None = None,
) -> StepContext:
    """What a step, or a decision about a model, works with; `inputs`: where `read` was found."""
    read = read or InputsRead({}, {})
    lakehouse = open_lakehouse(settings, session)
    return StepContext(
        window=window,
        lakehouse=lakehouse,
        inputs=inputs or lakehouse,
        registry=open_registry(settings, open_run),
        settings=settings,
        origin=Origin(run_id, settings.code_sha, read.versions, read.made_from),
        report=report,
        absent=read.absent,
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
    """Run a step over a window in this process.

    Raises:
        MissingInputError: what it reads was not made for these partitions.
    """
    inputs = open_lakehouse(settings, session).snapshot()
    read = read_inputs(inputs, step.inputs, window, is_run=True)
    if step.kind.traits.needs_own_inputs:
        require_own(step, window, read.absent)
    context = open_context(
        settings,
        session,
        run_id=run_id,
        report=report,
        window=window,
        read=read,
        inputs=inputs,
        open_run=open_run,
    )
    return step.run(context)
