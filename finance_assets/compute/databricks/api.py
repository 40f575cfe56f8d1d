"""What is sent to Databricks: tasks, runs and jobs in the words of its Jobs API.

As dictionaries, as the API and the bundle's YAML take them; which fields there are is said here,
and `bundle check` compares them with databricks-sdk. Numbers may be references to variables.
"""

from typing import NotRequired, TypedDict


class WheelTask(TypedDict):
    """The entry point of a wheel, and its command line."""

    package_name: str
    entry_point: str
    parameters: list[str]


class JobParameters(TypedDict):
    """What a job is run with."""

    partition: str


class RunJobTask(TypedDict):
    """Another job to run."""

    job_id: str
    job_parameters: JobParameters


class Needed(TypedDict):
    """A task that has to succeed before."""

    task_key: str


class Library(TypedDict):
    """A wheel to install."""

    whl: str


class Autoscale(TypedDict):
    """Between how many workers a cluster has."""

    min_workers: int | str
    max_workers: int | str


class AwsAttributes(TypedDict):
    """Which machines are asked for."""

    availability: str
    first_on_demand: int


class Cluster(TypedDict):
    """A cluster that lives for one run."""

    spark_version: str
    node_type_id: str
    data_security_mode: str
    autoscale: Autoscale
    aws_attributes: AwsAttributes
    custom_tags: dict[str, str]
    policy_id: NotRequired[str]


class JobCluster(TypedDict):
    """A cluster that the tasks of a job share."""

    job_cluster_key: str
    new_cluster: Cluster


class EnvironmentSpec(TypedDict):
    """What a serverless environment holds."""

    environment_version: str
    dependencies: list[str]


class Environment(TypedDict):
    """A serverless environment."""

    environment_key: str
    spec: EnvironmentSpec


class Where(TypedDict, total=False):
    """What a task says about its compute; which of it depends on the shape."""

    environment_key: str
    disable_auto_optimization: bool
    existing_cluster_id: str | None
    job_cluster_key: str
    new_cluster: Cluster
    libraries: list[Library]


class TaskWhere(Where):
    """Where a task of a stored job runs, as a target adds it."""

    task_key: str


class Task(Where):
    """A task; retries and dependencies are said in stored jobs only."""

    task_key: str
    description: str
    python_wheel_task: NotRequired[WheelTask]
    run_job_task: NotRequired[RunJobTask]
    timeout_seconds: int
    max_retries: NotRequired[int]
    min_retry_interval_millis: NotRequired[int]
    depends_on: NotRequired[list[Needed]]


class Queue(TypedDict):
    """Whether a run beyond the workspace's limit waits."""

    enabled: bool


class Submission(TypedDict):
    """A run of one task, as it is submitted."""

    run_name: str
    tasks: list[Task]
    environments: list[Environment]
    queue: Queue


class Schedule(TypedDict):
    """When a job runs."""

    quartz_cron_expression: str
    timezone_id: str
    pause_status: str


class Parameter(TypedDict):
    """A parameter of a job."""

    name: str
    default: str


class HealthRule(TypedDict):
    """What people are told of when it is exceeded."""

    metric: str
    op: str
    value: int


class Health(TypedDict):
    """Every such rule."""

    rules: list[HealthRule]


class JobHead(TypedDict):
    """What every stored job says; addresses are one reference to a variable."""

    name: str
    description: str
    max_concurrent_runs: int
    queue: Queue
    tags: dict[str, str]
    parameters: list[Parameter]
    email_notifications: dict[str, str]
    health: Health


class Flow(JobHead):
    """A stored job that runs other jobs; it has no schedule."""

    tasks: list[Task]


class Job(JobHead):
    """A stored job with its schedule."""

    schedule: Schedule
    tasks: list[Task]


class JobCompute(TypedDict, total=False):
    """What a target adds to a job: where its tasks run."""

    environments: list[Environment]
    job_clusters: list[JobCluster]
    tasks: list[TaskWhere]
