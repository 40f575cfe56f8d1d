"""Checks of compute: the wheel gets there, the cluster or serverless is there, a job is taken."""

from finance_assets.calendar import DUE
from finance_assets.compute.databricks.examination import Ailment, Check, Examination
from finance_assets.compute.databricks.payload import uploaded_wheel
from finance_assets.compute.databricks.runs import JSON
from finance_assets.compute.databricks.tasks import (
    compute_of,
    environments,
    on_compute,
    parameters,
    payload,
)
from finance_assets.errors import SettingsError
from finance_assets.settings import Shape


def wheel(subject: Examination) -> str:
    """The wheel can be built or is given, and lies on the volume."""
    try:
        packages = subject.settings.use_case_packages
        return uploaded_wheel(subject.client, subject.databricks, packages)
    except SettingsError as error:
        raise Ailment(error.what, error.remedy) from error
    except FileNotFoundError as error:
        raise Ailment(
            f"there is no file {error.filename}", "correct FINANCE_ASSETS_DATABRICKS_WHEEL"
        ) from error


def compute(subject: Examination) -> str:
    """Check that the compute that the shape names is there."""
    settings = subject.databricks
    if settings.shape is Shape.serverless:
        return f"serverless, environment {settings.environment_version}"
    if settings.shape is Shape.existing_cluster:
        return _existing(subject)
    versions = {v.key for v in subject.client.clusters.spark_versions().versions or []}
    if settings.spark_version not in versions:
        raise Ailment(
            f"there is no runtime {settings.spark_version}",
            "set FINANCE_ASSETS_DATABRICKS_SPARK_VERSION to one of "
            f"{', '.join(sorted(map(str, versions))[-3:])}",
        )
    types = {t.node_type_id for t in subject.client.clusters.list_node_types().node_types or []}
    if settings.node_type_id not in types:
        raise Ailment(
            f"there are no machines of type {settings.node_type_id}",
            "set FINANCE_ASSETS_DATABRICKS_NODE_TYPE_ID to one that this cloud has",
        )
    _policy(subject)
    return f"{settings.spark_version} on {settings.node_type_id}"


def _existing(subject: Examination) -> str:
    from databricks.sdk.errors.base import DatabricksError

    remedy = "correct FINANCE_ASSETS_DATABRICKS_CLUSTER_ID, or take another shape"
    name = subject.databricks.cluster_id
    if not name:
        raise Ailment("the shape existing_cluster names no cluster", remedy)
    try:
        found = subject.client.clusters.get(name)
    except DatabricksError as error:
        raise Ailment(f"the cluster {name} cannot be used: {error}", remedy) from error
    state = found.state.value if found.state else "UNKNOWN"
    if state in ("ERROR", "TERMINATING", "UNKNOWN"):
        raise Ailment(f"the cluster {name} is in state {state}", "see its page; then ask again")
    return f"cluster {name}: {state}, {found.spark_version}"


def _policy(subject: Examination) -> None:
    from databricks.sdk.errors.base import DatabricksError

    if not subject.databricks.policy_id:
        return
    try:
        subject.client.cluster_policies.get(subject.databricks.policy_id)
    except DatabricksError as error:
        raise Ailment(
            f"the policy {subject.databricks.policy_id} cannot be used: {error}",
            "correct FINANCE_ASSETS_DATABRICKS_POLICY_ID",
        ) from error


def job(subject: Examination) -> str:
    """The workspace takes a job with a task like ours. It is made, never run, and removed."""
    from databricks.sdk.errors.base import DatabricksError

    step = subject.use_cases[0].steps[0]
    try:
        where = compute_of(subject.databricks, f"{subject.databricks.volume}/wheels/none.whl")
    except SettingsError as error:
        raise Ailment(error.what, error.remedy) from error
    task = {**payload([step], parameters([step], DUE, "doctor", [])), **on_compute(where)}
    body = {"name": "finance_assets doctor", "tasks": [task], "environments": environments(where)}
    client = subject.client.api_client
    try:
        made = dict(client.do("POST", "/api/2.2/jobs/create", body=body, headers=JSON))  # type: ignore[arg-type]
    except DatabricksError as error:
        raise Ailment(
            f"a task like ours is refused: {error}",
            "take another FINANCE_ASSETS_DATABRICKS_SHAPE, or have this one enabled",
        ) from error
    subject.client.jobs.delete(int(made["job_id"]))
    return f"a {subject.databricks.shape} task is taken"


COMPUTE_CHECKS: dict[str, Check] = {"wheel": wheel, "compute": compute, "job": job}
