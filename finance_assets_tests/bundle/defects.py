"""Defects: what can be planted into a bundle, and the words by which the check tells of it."""

import yaml

from finance_assets.bundle.render import FLOW, STORAGE_FILE, job_file
from finance_assets.step.names import pipeline_job_name
from finance_assets.use_cases import all_use_cases
from finance_assets_tests.scenario import DRIFT, NAME, PIPELINE, task_of

# libyaml's where PyYAML was built with it: these files are read and written a hundred times.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
JOB, JOB_FILE = PIPELINE, job_file(PIPELINE)
# Defects are planted into a bundle of two use cases, the first of which they are planted into: what
# is found of one job is found of any.
FEW = sorted(all_use_cases().values(), key=lambda use_case: use_case.name != NAME)[:2]
# Their jobs, in the order in which the flow runs them.
JOBS = [pipeline_job_name(use_case) for use_case in FEW]


def tasks_of(record):
    return record["resources"]["jobs"][JOB]["tasks"]


def rewrite(path, change):
    """Change what a file of YAML says; the changed record."""
    record = yaml.load(path.read_text(), Loader=_LOADER)
    change(record)
    path.write_text(yaml.dump(record, Dumper=_DUMPER, sort_keys=False))
    return record


def in_file(name):
    """What plants a change into a rendered file."""

    def of(change):
        return lambda root: rewrite(root / name, change)

    return of


in_job, in_storage, in_flow = in_file(JOB_FILE), in_file(STORAGE_FILE), in_file(job_file(FLOW))


def flow_tasks(record):
    return record["resources"]["jobs"][FLOW]["tasks"]


def shared(record):
    """What is declared for production alone."""
    return record["targets"]["prod"]["resources"]


def granted(record):
    """The schemas' grants in production."""
    return shared(record)["schemas"]


NOBODY = "00000000-0000-0000-0000-000000000000"


PREFIX = "mlflow_experiment_prefix="


def in_text(name, old, new):
    """A change of a file's text."""

    def plant(root):
        text = (root / name).read_text()
        assert old in text
        (root / name).write_text(text.replace(old, new, 1))

    return plant


DEFECTS = {
    "a variable that is not declared": (
        in_text(JOB_FILE, "${var.catalog}", "${var.warehouse}"),
        "${var.warehouse} leads nowhere",
    ),
    "a target's variable that is not declared": (
        in_text("databricks.yml", "      catalog: staging", "      katalog: staging"),
        "variable katalog is not declared",
    ),
    "a field the API does not know": (
        in_job(lambda r: tasks_of(r)[0].update(timeout_secs=5)),
        "timeout_secs is no field the API knows",
    ),
    "a value the API does not take": (
        in_job(lambda r: tasks_of(r)[1].update(run_if="SOMETIMES")),
        "run_if is no field the API knows, or its value none it takes",
    ),
    "a dependency on no task": (
        in_job(lambda r: tasks_of(r)[1]["depends_on"].append({"task_key": "bronze_nothing"})),
        "depends on bronze_nothing, which is no task",
    ),
    "a step without a task": (
        in_job(lambda r: tasks_of(r).pop()),
        f"{task_of(DRIFT)}: has 0 of python_wheel_task",
    ),
    "a task without a step": (
        in_job(lambda r: tasks_of(r).append({**tasks_of(r)[0], "task_key": "extra"})),
        "no step for the task extra",
    ),
    "a dependency that the graph does not have": (
        in_job(lambda r: tasks_of(r)[-1].update(depends_on=[])),
        f"{task_of(DRIFT)} depends on []",
    ),
    "an entry point that does not exist": (
        in_job(lambda r: tasks_of(r)[0]["python_wheel_task"].update(entry_point="main")),
        "the package has no entry point main",
    ),
    "an environment that does not exist": (
        in_job(
            lambda r: r["targets"]["prod"]["resources"]["jobs"][JOB]["tasks"][0].update(
                environment_key="default"
            )
        ),
        "there is no environment default",
    ),
    "a wheel that nobody builds": (
        in_text("databricks.yml", "type: whl", "type: jar"),
        "is built by no artifact",
    ),
    "a token in a file": (
        in_text("databricks.yml", "default: credit-risk\n", "default: dapi0123456789abcdef\n"),
        "looks like a secret",
    ),
    "a partition that does not arrive": (
        in_text(JOB_FILE, "'{{job.parameters.partition}}'", "2005-04"),
        "the partition does not reach it",
    ),
    "production as whoever deploys": (
        in_text(
            "databricks.yml",
            "    run_as:\n      service_principal_name: ${var.service_principal}\n",
            "",
        ),
        "production has no run_as",
    ),
    "an include that matches nothing": (
        in_text("databricks.yml", "resources/*.yml", "recources/*.yml"),
        "matches no file",
    ),
    "nobody told": (
        in_job(lambda r: r["resources"]["jobs"][JOB].pop("email_notifications")),
        "nobody is told when it fails",
    ),
    # Issue 9, 2: development mode prefixes names itself.
    "a prefix that development mode does not make": (
        in_text("databricks.yml", "dev_${workspace.current_user", "${workspace.current_user"),
        "nobody makes the schema main.somebody_bronze of layer bronze",
    ),
    "a volume's path written out": (
        in_text(
            JOB_FILE,
            "/Volumes/${var.catalog}/${resources.schemas.finance_assets.name}/staging",
            "/Volumes/${var.catalog}/finance_assets/staging",
        ),
        "storage: nobody makes the volume main.finance_assets.staging",
    ),
    "a model that the bundle makes under another name": (
        in_storage(
            lambda r: r["resources"].update(
                registered_models={
                    NAME: {
                        "name": NAME,
                        "catalog_name": "main",
                        "schema_name": "x",
                    }
                }
            )
        ),
        f"registered model {NAME}: the first training makes it",
    ),
    "a resource that does not exist": (
        in_text(
            JOB_FILE, "${resources.schemas.finance_assets.name}", "${resources.schemas.x.name}"
        ),
        "${resources.schemas.x.name} leads nowhere",
    ),
    # 3: an experiment needs its folder.
    "experiments that lie in no folder": (
        in_text(JOB_FILE, "mlflow_experiment_prefix=${var.experiment_folder}/", PREFIX + "x"),
        "is no folder that a task can make",
    ),
    "experiments in a folder of the root": (
        in_text("databricks.yml", "default: /Users/${var.service_principal}", "default: /Finance"),
        "is no folder that a task can make",
    ),
    # 7: serverless retries by itself.
    "serverless that retries": (
        in_job(
            lambda r: r["targets"]["prod"]["resources"]["jobs"][JOB]["tasks"][3].pop(
                "disable_auto_optimization"
            )
        ),
        "has no disable_auto_optimization",
    ),
    # 11: who can replace what production runs.
    "a wheel that everybody can replace": (
        in_text("databricks.yml", "/Workspace/Users/${var.service_principal}", "/Workspace/Shared"),
        "every user of the workspace could replace the wheel",
    ),
    "a wheel in somebody else's folder": (
        in_text(
            "databricks.yml", "/Workspace/Users/${var.service_principal}", "/Workspace/Users/jane"
        ),
        "is not in the folder of",
    ),
    "experiments that everybody can change": (
        in_text("databricks.yml", "default: /Users/${var.service_principal}", "default: /Shared"),
        "every user of the workspace may write to /Shared/",
    ),
    "a level that a bundle does not have": (
        in_text("databricks.yml", "level: CAN_RUN", "level: CAN_MANAGE_RUN"),
        "CAN_MANAGE_RUN is no level for a whole bundle",
    ),
    # 12: nothing is used that nobody makes, and no principal is written out.
    "a volume that nobody makes": (
        in_storage(lambda r: r["resources"]["volumes"].pop("landing")),
        "landing: nobody makes the volume",
    ),
    "a layer that nobody makes": (
        in_storage(lambda r: r["resources"]["schemas"].pop("gold")),
        "of layer gold",
    ),
    "a schema that nobody may use": (
        in_storage(lambda r: granted(r)["gold"].pop("grants")),
        "schemas.gold: nobody but its owner may use it",
    ),
    "experiments that nobody but their maker may see": (
        in_job(lambda r: shared(r)["experiments"][NAME].pop("permissions")),
        f"nobody but its maker may see /Users/{NOBODY}/finance_assets/prod/{NAME}",
    ),
    "experiments that tasks do not log to": (
        in_job(lambda r: shared(r)["experiments"][NAME].update(name="/Users/x/other")),
        "experiments: nobody but its maker may see",
    ),
    "a group that is written out": (
        in_text("databricks.yml", "group_name: ${var.operators}", "group_name: credit-risk"),
        "permissions: credit-risk is no variable",
    ),
    "a principal that is written out": (
        in_storage(lambda r: granted(r)["gold"]["grants"][0].update(principal="users")),
        "resources: users is no variable",
    ),
    "a principal that is granted to twice": (
        in_storage(lambda r: granted(r)["gold"].update(grants=2 * granted(r)["gold"]["grants"])),
        "schemas.gold: one principal is granted to twice",
    ),
    # 13: tables cannot lie in a volume, and both runners give the same settings.
    "tables in a volume": (
        in_text("databricks.yml", "    default: main\n", '    default: ""\n'),
        "tables cannot lie in a volume",
    ),
    "a setting that only one runner gives": (
        in_text(JOB_FILE, "          - --set\n          - search=${var.search}\n", ""),
        "its settings are not those of Dagster's tasks: ['search']",
    ),
    # H: one job a use case, and a flow that runs them all.
    "a use case whose job the flow does not run": (
        in_flow(lambda r: flow_tasks(r).clear()),
        f"{FLOW}: runs [], and the use cases' jobs are {sorted(JOBS)}",
    ),
    "a use case whose job the flow runs twice": (
        in_flow(lambda r: flow_tasks(r).append({**flow_tasks(r)[0], "task_key": "again"})),
        f"{FLOW}: runs {sorted([JOBS[0], *JOBS])}",
    ),
    "a flow that runs itself": (
        in_flow(
            lambda r: flow_tasks(r)[0]["run_job_task"].update(
                job_id=f"${{resources.jobs.{FLOW}.id}}"
            )
        ),
        f"{FLOW}: runs {sorted([FLOW, *JOBS[1:]])}, and the use cases' jobs are",
    ),
    "a job that does not exist": (
        in_flow(lambda r: flow_tasks(r)[0]["run_job_task"].update(job_id="${resources.jobs.x.id}")),
        "${resources.jobs.x.id} leads nowhere",
    ),
    "a partition that the flow keeps": (
        in_flow(lambda r: flow_tasks(r)[0]["run_job_task"].pop("job_parameters")),
        f"the partition does not reach {JOBS[0]}",
    ),
    "no flow": (
        in_flow(lambda r: r["resources"]["jobs"].pop(FLOW)),
        f"there is no job {FLOW}",
    ),
    "a use case without a job": (
        lambda root: (root / JOB_FILE).unlink(),
        f"${{resources.jobs.{JOB}.id}} leads nowhere",
    ),
    # 14: an unset address is none.
    # A cluster takes a wheel of a version that it knows for the one that it has.
    "a wheel that is never seen to be new": (
        in_text("databricks.yml", "build: finance-assets bundle wheel", "build: pip wheel ."),
        "is not built by `finance-assets bundle wheel`",
    ),
    "an address that is not set": (
        in_text("databricks.yml", "- ${workspace.current_user.userName}", '- ""'),
        "'' is no address",
    ),
}
