"""Resources: the engine's session and MLflow's run, both opened only when a step asks.

dagster-pyspark and dagster-mlflow import their big libraries at module level, so they are
imported inside the functions: the code location must load without them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg

from finance_assets.compute.alive import held
from finance_assets.compute.runner import open_registry
from finance_assets.compute.sessions import session_config, without_reattaching
from finance_assets.settings import Compute, get_settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class EngineResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The Spark session of the configured engine, through dagster-pyspark.

    Every op needs it, so it lives as long as the run's process: that is when the run is alive.
    """

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["EngineResource"]:
        """Itself, while the run is known to be alive. On Databricks each step has a process."""
        settings = get_settings()
        is_here = settings.compute is Compute.local
        with held(settings, (context.run_id or "") if is_here else ""):
            yield self

    def session(self) -> "SparkSession":
        """The session; the engine starts on the first call in a process."""
        from dagster_pyspark import LazyPySparkResource

        settings = get_settings()
        resource = LazyPySparkResource(spark_config=session_config(settings))
        return without_reattaching(resource.spark_session, settings)


@dg.resource(
    config_schema={"experiment_name": dg.Field(str, default_value="finance_assets")},
    description="Opens dagster-mlflow's run for a training, when the training really starts.",
)
def mlflow_run(context: dg.InitResourceContext) -> Callable[[str], Any]:
    """A function that opens the MLflow run of this Dagster run in a use case's experiment.

    dagster-mlflow's own resource starts its run when resources are set up, so that every run
    that trains nothing would leave an empty one open. This one makes the same object later.
    """

    def open_run(experiment: str) -> Any:
        from dagster_mlflow import mlflow_tracking

        settings = get_settings()
        registry = open_registry(settings)
        registry.ensure_experiment(experiment)
        config = {
            "experiment_name": registry.experiment(experiment),
            "mlflow_tracking_uri": settings.tracking_uri,
            "env": {},
            "extra_tags": {},
        }
        generator = mlflow_tracking.resource_fn(context.replace_config(config))
        return next(generator)

    return open_run
