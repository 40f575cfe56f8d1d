"""What compute there is: clusters, policies, machines and runtimes, known by name."""

from dataclasses import dataclass, field

from finance_assets_tests.databricks.errors import ApiError


def _names(*names: str) -> field:
    return field(default_factory=lambda: set(names))


@dataclass
class Compute:
    """Names of what may be asked for; anything else is refused."""

    clusters: set[str] = _names("0101-abc")
    policies: set[str] = _names("policy-1")
    node_types: set[str] = _names("m5d.large")
    spark_versions: set[str] = _names("18.3.x-scala2.13")
    is_serverless_enabled: bool = True

    def check(self, task: dict, job_clusters: list[dict]) -> None:
        """Refuse a task whose compute there is not."""
        shared = {c["job_cluster_key"]: c["new_cluster"] for c in job_clusters}
        if "job_cluster_key" in task and task["job_cluster_key"] not in shared:
            raise ApiError(400, "INVALID_PARAMETER_VALUE", "no such job cluster")
        if "environment_key" in task and not self.is_serverless_enabled:
            text = "Serverless compute is not enabled for this workspace."
            raise ApiError(400, "INVALID_PARAMETER_VALUE", text)
        cluster = task.get("new_cluster") or shared.get(task.get("job_cluster_key"), {})
        named = (
            (task.get("existing_cluster_id"), self.clusters),
            (cluster.get("policy_id"), self.policies),
            (cluster.get("node_type_id"), self.node_types),
            (cluster.get("spark_version"), self.spark_versions),
        )
        for name, known in named:
            if name is not None and name not in known:
                raise ApiError(400, "INVALID_PARAMETER_VALUE", f"{name} does not exist")

    def cluster(self, query: dict) -> dict:
        """clusters/get."""
        if query["cluster_id"] not in self.clusters:
            text = f"Cluster {query['cluster_id']} does not exist"
            raise ApiError(400, "INVALID_PARAMETER_VALUE", text)
        return {**query, "state": "RUNNING", "spark_version": min(self.spark_versions)}

    def policy(self, query: dict) -> dict:
        """policies/clusters/get."""
        if query["policy_id"] not in self.policies:
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"policy {query['policy_id']}")
        return query

    def versions(self, _: dict) -> dict:
        """clusters/spark-versions."""
        return {"versions": [{"key": name, "name": name} for name in self.spark_versions]}

    def machines(self, _: dict) -> dict:
        """clusters/list-node-types."""
        facts = {"memory_mb": 8192, "num_cores": 2, "description": ""}
        return {
            "node_types": [
                {"node_type_id": name, "instance_type_id": name, **facts}
                for name in self.node_types
            ]
        }
