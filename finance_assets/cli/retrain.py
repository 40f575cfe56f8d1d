"""The command that asks for a candidate. Arguments, refusals and showing only."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from finance_assets.cli.common import UseCaseName, ask, console, guarded, one_use_case
from finance_assets.errors import HistoryError, LostRaceError, SettingsError
from finance_assets.settings import get_settings
from finance_assets.step.arguments import require_partition
from finance_assets.step.use_case import UseCase

if TYPE_CHECKING:
    import dagster as dg

app = typer.Typer()


@app.command()
def retrain(
    use_case: UseCaseName,
    as_of: Annotated[str, typer.Option("--as-of", help="Partition as of which to train.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, in a sentence.")],
) -> None:
    """Train a candidate as of a partition; the gate decides on it as on every other.

    The run in Dagster carries the reason and who asked. No gate is passed over.
    """
    guarded(lambda: _retrain(one_use_case(use_case), as_of, reason.strip()))


def _retrain(use_case: UseCase, as_of: str, reason: str) -> None:
    require_partition(use_case.calendar, as_of, "--as-of")
    if not reason:
        raise SettingsError(
            "a retraining needs a reason",
            where=f"{use_case.name}, --reason",
            remedy='--reason "why, in a sentence"',
        )
    settings = get_settings()
    settings.prepare_home()
    with console.status("loading the asset graph"):
        import dagster as dg

        from finance_assets.automation.retraining_runs import by_hand
        from finance_assets.cli.play import Progress, run_job
        from finance_assets.definitions import defs
        from finance_assets.step.names import retraining_job_name

    with dg.DagsterInstance.get() as instance:
        _require_ready(instance, use_case, as_of)
        console.print(f"{use_case.name}: a candidate as of {as_of}: {escape(reason)}")
        told = Progress(lambda _, key, event: _tell(key, event), lambda *_: None)
        run_job(defs, instance, retraining_job_name(use_case), as_of, by_hand(reason), told)
    _show(use_case, as_of)


def _require_ready(instance: "dg.DagsterInstance", use_case: UseCase, as_of: str) -> None:
    """Refuse to train on what is not there, or beside another training.

    Raises:
        TooEarlyError: too few outcomes are known as of the partition, or it still grows.
        HistoryError: tables that the training reads were not made yet.
        LostRaceError: another retraining of the use case did not end yet.
    """
    from finance_assets.automation.facts import gather_facts
    from finance_assets.automation.runs import in_flight
    from finance_assets.ml.splits import require_whole, split_as_of

    spec, calendar = use_case.model, use_case.calendar
    split_as_of(calendar, spec, as_of)
    require_whole(calendar, spec, calendar.window(as_of))
    facts = gather_facts(instance, use_case)
    if as_of not in facts.ready:
        known = max(facts.ready, default="")
        raise HistoryError(
            f"the outcomes of {as_of} are not in the tables yet, or not all of them",
            where=f"{spec.labels.table}[{as_of}], "
            f"{spec.features.table}[{calendar.shift(as_of, -spec.label_lag)}]",
            remedy=f"train as of {known}, or run the pipeline of {as_of} first"
            if known
            else f"run the pipeline through {as_of} first",
        )
    running = in_flight(instance, use_case, use_case.model_steps)
    if running:
        raise LostRaceError(
            f"a retraining of {use_case.name} is running already",
            where=f"run {running[0].run_id}",
            remedy="wait for its decision, then ask again if you still want one",
        )


def _tell(key: str, event: str) -> None:
    if event == "STEP_SUCCESS":
        console.print(f"  {key} done", highlight=False)


def _show(use_case: UseCase, as_of: str) -> None:
    from finance_assets.commands.champion import History

    found = ask(History(), use_case)
    made = [d for d in found.decisions if d.as_of == as_of]
    if made:
        decision = made[-1]
        failed = f"; failed: {decision.failed_criteria}" if decision.failed_criteria else ""
        console.print(
            f"candidate [bold]v{decision.candidate_version}[/]: "
            f"{decision.outcome.replace('_', ' ')}{escape(failed)}"
        )
    if found.changes:
        # A candidate that was promoted once may have been rolled back since.
        newest = found.changes[-1]
        console.print(
            f"champion: [bold]v{newest.model_version}[/] from {newest.effective_from} on "
            f"({newest.event.replace('_', ' ')} by {escape(newest.decided_by)})"
        )
