"""Assets: one per step, with its dependencies, partition mappings, checks and metadata."""

from collections.abc import Iterator, Sequence

import dagster as dg

from finance_assets.assets import metadata as shown
from finance_assets.assets.data_versions import data_versions, restored
from finance_assets.assets.partitions import partition_mapping, partitions_of
from finance_assets.calendar import Calendar, Window
from finance_assets.compute.runner import run_step
from finance_assets.errors import FinanceAssetsError
from finance_assets.lakehouse.contract import Severity
from finance_assets.model_life.journals import journals_of
from finance_assets.settings import Compute, get_settings
from finance_assets.step.declaration import Kind, Step, StepResult
from finance_assets.step.use_case import UseCase

# Layers for which Dagster has an icon.
MEDALS = frozenset({"bronze", "silver", "gold"})


def build_assets(use_case: UseCase) -> list[dg.AssetsDefinition]:
    """Every step of the use case as an asset, each an op of its own.

    On Databricks the table steps can share one op, and so one run: what costs there is starting.
    """
    settings = get_settings()
    if settings.compute is Compute.databricks and settings.databricks.is_grouped:
        grouped = groupable(use_case.steps)
        return [
            build_op(use_case, f"{use_case.name}_tables", grouped),
            *(build_asset(use_case, step) for step in use_case.steps if step not in grouped),
        ]
    return [build_asset(use_case, step) for step in use_case.steps]


def groupable(steps: Sequence[Step]) -> list[Step]:
    """The table steps that can be one op: Dagster wants one partition mapping for each input of
    an op, so a step that reads a table at other partitions than one before it stays by itself.
    """
    offsets: dict[str, tuple[int | None, int]] = {}
    group = []
    for step in steps:
        wanted = {item.key: (item.first_offset, item.last_offset) for item in step.inputs}
        fits = all(offsets.get(key, offset) == offset for key, offset in wanted.items())
        if step.kind.is_table and fits:
            offsets |= wanted
            group.append(step)
    return group


def build_asset(use_case: UseCase, step: Step) -> dg.AssetsDefinition:
    """A step as an op of its own."""
    return build_op(use_case, step.key.replace(".", "__"), [step])


def build_journals(use_case: UseCase) -> list[dg.AssetSpec]:
    """What steps write beside the table that they are named for."""
    return [
        dg.AssetSpec(
            key=shown.asset_key(contract.table),
            deps=[shown.asset_key(step.key) for step in use_case.steps if step.kind is kind],
            description=contract.description,
            metadata=shown.table_metadata(contract),
            group_name=use_case.name,
            kinds={"deltalake"},
            owners=[use_case.owner],
            tags={"layer": contract.layer},
        )
        for contract, kind in journals_of(use_case).items()
    ]


def build_op(use_case: UseCase, name: str, steps: list[Step]) -> dg.AssetsDefinition:
    """Steps as the assets of one op, run one after the other where the settings say."""
    by_key = {shown.asset_key(step.key): step for step in steps}

    @dg.multi_asset(
        name=name,
        specs=[_spec(use_case, step) for step in steps],
        check_specs=[spec for step in steps for spec in _check_specs(use_case, step)],
        partitions_def=partitions_of(use_case.calendar),
        backfill_policy=_backfill_policy(steps),
        can_subset=len(steps) > 1,
        required_resource_keys={"engine", "mlflow"},
    )
    def _op(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        selected = [step for key, step in by_key.items() if key in context.selected_asset_keys]
        named = {step.key: step for step in selected}
        for key, result in run_steps(context, use_case.calendar, selected):
            yield from reported(context, named[key], result)

    return _op


def _spec(use_case: UseCase, step: Step) -> dg.AssetSpec:
    """What the catalogue says of a step's asset."""
    return dg.AssetSpec(
        key=shown.asset_key(step.key),
        deps=[
            dg.AssetDep(
                shown.asset_key(item.key),
                partition_mapping=partition_mapping(use_case.calendar, item),
            )
            for item in step.inputs
        ],
        partitions_def=partitions_of(use_case.calendar),
        group_name=use_case.name,
        kinds=_kinds(use_case, step),
        owners=[use_case.owner],
        description=step.contract.description,
        metadata=shown.table_metadata(step.contract),
        tags={"layer": step.contract.layer, "step_kind": step.kind.value},
        code_version=shown.code_version(step),
        freshness_policy=_freshness(use_case.calendar) if step.kind is Kind.ingest else None,
    )


def _kinds(use_case: UseCase, step: Step) -> set[str]:
    """What a step's asset shows as icons: its layer, and what it is made with."""
    traits = step.kind.traits
    source = {step.source.format.kind} if step.source else set()
    family = {use_case.model.family} if traits.uses_family else set()
    return {*traits.tools, *source, *family, *MEDALS & {step.contract.layer}}


def _freshness(calendar: Calendar) -> dg.FreshnessPolicy:
    """When a source that delivers nothing is late, and when it is overdue."""
    late, overdue = calendar.freshness
    return dg.FreshnessPolicy.time_window(warn_window=late, fail_window=overdue)


def reported(
    context: dg.AssetExecutionContext, step: Step, result: StepResult
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """A step's result as Dagster's events, wherever it ran.

    Raises:
        dagster.Failure: the step's rows were refused.
    """
    yield from (shown.check_result(step, outcome) for outcome in result.outcomes)
    if result.publication is None:
        raise _refusal(step, result)
    for table, facts in result.stated.items():
        context.log_event(shown.statement(table, facts))
    key = shown.asset_key(step.key)
    versions = data_versions(context.instance, key, result.fingerprints)
    for partition in result.fingerprints:
        context.add_asset_metadata(shown.partition_metadata(result, partition), key, partition)
    reason = context.run.tags.get("retraining_reason") if step.kind.is_model else None
    yield dg.MaterializeResult(
        asset_key=key,
        metadata={**shown.result_metadata(step, result), **({"wanted": reason} if reason else {})},
        data_version=dg.DataVersion(versions.common),
    )
    for event in restored(context.instance, key, versions):
        context.log_event(event)


def run_steps(
    context: dg.AssetExecutionContext, calendar: Calendar, steps: list[Step]
) -> Iterator[tuple[str, StepResult]]:
    """Run steps over the run's partitions where the settings say; our errors become readable
    failures.
    """
    keys, settings = context.partition_key_range, get_settings()
    window = calendar.window(keys.start, keys.end)
    try:
        if settings.compute is Compute.databricks:
            # Imported here: it brings databricks-sdk, which a local run does not need.
            from finance_assets.compute.databricks.client import RunClient
            from finance_assets.compute.databricks.pipes import DagsterRun
            from finance_assets.compute.databricks.work import of_steps

            work = of_steps(settings, steps, window, context.run_id)
            yield from RunClient(settings).stream(DagsterRun(context), work)
        else:
            for step in steps:
                yield step.key, _run_here(context, step, window)
    except FinanceAssetsError as error:
        details: shown.Metadata = {"what": error.what, "where": error.where, "remedy": error.remedy}
        if trace := getattr(error, "trace", ""):
            details["trace"] = dg.MetadataValue.md(f"```\n{trace}\n```")
        raise dg.Failure(
            description=f"{type(error).__name__}: {error}", metadata=details, allow_retries=False
        ) from error


def _run_here(context: dg.AssetExecutionContext, step: Step, window: Window) -> StepResult:
    return run_step(
        step,
        window,
        settings=get_settings(),
        session=context.resources.engine.session,
        run_id=context.run_id,
        report=context.log.info,
        open_run=lambda: context.resources.mlflow(step.use_case),
    )


def _refusal(step: Step, result: StepResult) -> dg.Failure:
    """The failure of a step whose rows did not pass the audit."""
    broken = [
        outcome
        for outcome in result.outcomes
        if not outcome.is_passed and outcome.check.severity is Severity.block
    ]
    lines = "\n".join(f"- {outcome.check.name}: {outcome.observed}" for outcome in broken)
    if result.documents:
        lines += f"\nsee them: finance-assets rejects {step.use_case} --partition PARTITION"
    return dg.Failure(
        description=f"{step.key} is unchanged: {len(broken)} blocking check(s) failed\n{lines}",
        metadata={
            "failed_checks": dg.MetadataValue.json([outcome.check.name for outcome in broken]),
            **{title: dg.MetadataValue.md(text) for title, text in result.documents.items()},
        },
        allow_retries=False,
    )


def _check_specs(use_case: UseCase, step: Step) -> Iterator[dg.AssetCheckSpec]:
    for check in step.checks:
        yield dg.AssetCheckSpec(
            check.name,
            asset=shown.asset_key(step.key),
            description=check.description,
            blocking=check.severity is Severity.block,
            partitions_def=partitions_of(use_case.calendar),
        )


def _backfill_policy(steps: list[Step]) -> dg.BackfillPolicy:
    """One run for a range, if every step of the op can take one; else a run a partition."""
    if all(step.kind.takes_a_range_at_once for step in steps):
        return dg.BackfillPolicy.single_run()
    return dg.BackfillPolicy.multi_run(max_partitions_per_run=1)
