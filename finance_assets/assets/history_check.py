"""The check of a champion history: chain, models, evaluations, journals and predictions agree.

The history is no asset that a run makes, so its check is an op of its own: it runs behind the
decision, once a day by itself, and whenever somebody asks for it in the UI.
"""

from typing import Any

import dagster as dg

from finance_assets.assets.metadata import asset_key, stated_history
from finance_assets.calendar import Frequency
from finance_assets.commands.champion import Verify
from finance_assets.compute.commands import run_command
from finance_assets.compute.runner import open_context
from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.model_life.verification import Findings, examine
from finance_assets.settings import Compute, get_settings
from finance_assets.step.declaration import Kind
from finance_assets.step.use_case import UseCase

NAME = "intact"
# Why nobody may rest on the history, in the metadata of the check.
UNTRUSTED = "untrusted"


def build_history_check(use_case: UseCase) -> dg.AssetChecksDefinition:
    """The check, behind the decision step of the use case."""

    @dg.asset_check(
        name=NAME,
        asset=asset_key(champion_history_contract(use_case.name).table),
        additional_deps=[
            asset_key(step.key) for step in use_case.steps if step.kind is Kind.decision
        ],
        description="The chain of champions is unbroken, and all it rests on is as recorded.",
        required_resource_keys={"engine"},
        automation_condition=once_a_day(use_case),
    )
    def _intact(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        said = stated_history(context.instance, use_case.name)
        found = _examined(context, use_case, {"Dagster": said} if said else {})
        now = evaluation_of(use_case, found)
        return dg.AssetCheckResult(
            passed=now.passed, description=now.description, metadata=now.metadata
        )

    return _intact


def evaluation_of(use_case: UseCase, found: Findings) -> dg.AssetCheckEvaluation:
    """What a verification found, as Dagster keeps it; whoever verifies, the newest one counts."""
    return dg.AssetCheckEvaluation(
        asset_key=asset_key(champion_history_contract(use_case.name).table),
        check_name=NAME,
        passed=not found.broken,
        description="; ".join((*found.broken, *found.outdated)) or "nothing is wrong",
        metadata={
            "problems": dg.MetadataValue.json(list(found.broken)),
            UNTRUSTED: dg.MetadataValue.json(list(found.untrusted)),
            "to_be_scored_again": dg.MetadataValue.json(list(found.outdated)),
        },
    )


def once_a_day(use_case: UseCase) -> dg.AutomationCondition[Any]:
    """When the check runs by itself: tampering does not wait for the next decision."""
    midnight, timezone = Frequency.daily.boundaries, use_case.calendar.timezone
    is_due = dg.AutomationCondition.cron_tick_passed(midnight, timezone)
    return (is_due & ~dg.AutomationCondition.in_progress()).with_label("once a day")


def _examined(
    context: dg.AssetCheckExecutionContext, use_case: UseCase, stated: dict[str, str]
) -> Findings:
    """Check the history where its table is."""
    settings, report = get_settings(), context.log.info
    if settings.compute is Compute.databricks:
        [found] = run_command(Verify(stated), [use_case], report)
        return found
    # The run's own session: a second one would take seconds.
    session = context.resources.engine.session
    ctx = open_context(settings, session, run_id=context.run.run_id, report=report)
    return examine(ctx, use_case.model, stated)
