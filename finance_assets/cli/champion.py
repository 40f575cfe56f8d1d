"""Commands about the champion: approve, rollback, history.

Arguments and showing only; what they do is in steps/.
"""

import json
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from finance_assets.cli.common import console, guarded
from finance_assets.cli.governance import (
    AsJson,
    UseCaseName,
    VersionName,
    find_version,
    grid,
    one_use_case,
    open_command_context,
)
from finance_assets.settings import get_settings
from finance_assets.step.use_case import UseCase

if TYPE_CHECKING:
    import dagster as dg

    from finance_assets.model_life.champion_history import ChampionEvent
    from finance_assets.step.declaration import StepContext

app = typer.Typer()
Reason = Annotated[str, typer.Option("--reason", help="Why, in a sentence.")]
From = Annotated[
    str | None,
    typer.Option("--from", help="First partition (default: the first that nobody scored yet)."),
]
Expect = Annotated[
    str | None,
    typer.Option("--expect", help="The champion you saw; refuses if it is another one by now."),
]


@app.command()
def approve(
    use_case: UseCaseName,
    version: VersionName,
    reason: Reason,
    effective_from: From = None,
    expect: Expect = None,
) -> None:
    """Make a candidate champion that passed the gate and is held for approval.

    You approve as who you are logged in as; whoever trained the candidate cannot.
    """
    guarded(lambda: _approve(one_use_case(use_case), version, reason, effective_from, expect))


@app.command()
def rollback(
    use_case: UseCaseName,
    reason: Reason,
    to: Annotated[str | None, typer.Option("--to", help="A version that was champion.")] = None,
    effective_from: From = None,
    expect: Expect = None,
) -> None:
    """Put the champion before today's in force again, from the next unscored partition on."""
    guarded(lambda: _roll_back(one_use_case(use_case), reason, to, effective_from, expect))


@app.command()
def history(
    use_case: UseCaseName,
    as_json: AsJson = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check the chain and all it rests on; exit 1 if not.")
    ] = False,
) -> None:
    """List every change of champion and every decision: who, when, from what, to what, why."""
    shown = partial(_history, as_json=as_json)
    guarded(lambda: (_verify if verify else shown)(one_use_case(use_case)))


def _approve(
    use_case: UseCase, name: str, reason: str, effective_from: str | None, expect: str | None
) -> None:
    from finance_assets.model_life.approval import approve as approved
    from finance_assets.model_life.judging import Judge

    ctx = open_command_context(use_case)
    event = approved(
        ctx,
        Judge.of(use_case),
        find_version(ctx, use_case, name).number,
        reason=reason,
        effective_from=effective_from,
        expect=expect,
    )
    _announce(ctx, use_case, event)


def _roll_back(
    use_case: UseCase,
    reason: str,
    to: str | None,
    effective_from: str | None,
    expect: str | None,
) -> None:
    from finance_assets.model_life.judging import Judge
    from finance_assets.model_life.rollback import roll_back

    ctx = open_command_context(use_case)
    event = roll_back(
        ctx,
        Judge.of(use_case),
        to=find_version(ctx, use_case, to).number if to else None,
        effective_from=effective_from,
        expect=expect,
        reason=reason,
    )
    _announce(ctx, use_case, event)


def _announce(ctx: "StepContext", use_case: UseCase, event: "ChampionEvent") -> None:
    """Tell the user, Dagster and MLflow, each though another fails: the event is recorded."""
    from finance_assets.assets.metadata import statement
    from finance_assets.model_life.chain import read_history
    from finance_assets.model_life.champion_history import champion_history_contract
    from finance_assets.model_life.crowning import stated, unlost
    from finance_assets.model_life.effects import follow_up

    before = f"v{event.replaces}" if event.replaces else "none"
    console.print(
        f"{event.event.replace('_', ' ')}: champion of {use_case.name} is "
        f"[bold]v{event.model_version}[/] from {event.effective_from} on "
        f"(before: {before}), by {escape(event.decided_by)}"
    )

    def tell_dagster() -> None:
        facts = stated(read_history(ctx.lakehouse, use_case.name))
        table = champion_history_contract(use_case.name).table
        with _instance() as instance:
            instance.report_runless_asset_event(statement(table, facts))

    problems = [unlost(ctx, "The statement in Dagster", tell_dagster)]
    problems += follow_up(ctx, use_case.model, event)
    for problem in filter(None, problems):
        console.print(f"[yellow]{escape(problem)}[/]")


def _instance() -> "dg.DagsterInstance":
    import dagster as dg

    get_settings().prepare_home()
    return dg.DagsterInstance.get()


def _verify(use_case: UseCase) -> None:
    from finance_assets.assets.metadata import stated_history
    from finance_assets.model_life.verification import verify

    ctx = open_command_context(use_case)
    with _instance() as instance:
        said = stated_history(instance, use_case.name)
    problems = verify(ctx, use_case.model, {"Dagster": said} if said else {})
    for problem in problems:
        console.print(f"[red]✗[/] {escape(problem)}")
    if problems:
        raise typer.Exit(1)
    compared = "MLflow and Dagster" if said else "MLflow (Dagster states nothing)"
    console.print(
        f"[green]intact[/]: chain, models, evaluations and journals of {use_case.name}; "
        f"compared with {compared}"
    )


def _history(use_case: UseCase, as_json: bool) -> None:
    from finance_assets.compute.runner import open_lakehouse
    from finance_assets.model_life.chain import read_history
    from finance_assets.model_life.decision_log import read_decisions

    lakehouse = open_lakehouse(get_settings())
    found = read_history(lakehouse, use_case.name)
    decided = read_decisions(lakehouse, use_case.model)
    if as_json:
        record = {
            "events": [asdict(event) for event in found.events],
            "decisions": [asdict(decision) for decision in decided],
            "problems": list(found.problems),
        }
        print(json.dumps(record, indent=2))
        return
    names = ("#", "recorded (UTC)", "event", "champion", "as of", "holds from", "before")
    table = grid(f"Changes of champion of {use_case.name}", (*names, "by", "reason"))
    for event in found.events:
        table.add_row(
            str(event.sequence),
            event.recorded_at[:19],
            event.event,
            f"v{event.model_version}",
            event.as_of,
            event.effective_from,
            f"v{event.replaces}" if event.replaces else "none",
            escape(event.decided_by),
            escape(event.reason),
        )
    console.print(table)
    titles = ("recorded (UTC)", "candidate", "as of", "decision", "against", "failed criteria")
    table = grid("Decisions of the gate", titles)
    for decision in decided:
        table.add_row(
            decision.recorded_at[:19],
            f"v{decision.candidate_version}",
            decision.as_of,
            decision.outcome,
            f"v{decision.champion_version}" if decision.champion_version else "none",
            decision.failed_criteria,
        )
    console.print(table)
    for problem in found.problems:
        console.print(f"[red]✗[/] {escape(problem)}")
