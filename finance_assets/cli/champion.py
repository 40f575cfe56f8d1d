"""Commands about the champion: approve, rollback, history, accept.

Arguments and showing only; what they do is in commands/.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from finance_assets.cli.common import (
    AsJson,
    UseCaseName,
    VersionNumber,
    ask,
    console,
    grid,
    guarded,
    one_use_case,
)
from finance_assets.settings import get_settings
from finance_assets.step.use_case import UseCase

if TYPE_CHECKING:
    import dagster as dg

    from finance_assets.commands.champion import Change
    from finance_assets.model_life.verification import Findings

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
    version: VersionNumber,
    reason: Reason,
    effective_from: From = None,
    expect: Expect = None,
) -> None:
    """Make a candidate champion that passed the gate and is held for approval.

    You approve as who you are logged in as; whoever trained the candidate cannot, nor whoever
    accepted the loss of the champion before it.
    """
    guarded(lambda: _approve(one_use_case(use_case), version, reason, effective_from, expect))


@app.command()
def rollback(
    use_case: UseCaseName,
    reason: Reason,
    to: Annotated[str | None, typer.Option("--to", help="Number of a former champion.")] = None,
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


@app.command()
def accept(use_case: UseCaseName, reason: Reason) -> None:
    """Take the champion history as it stands, where it cannot be put right any more.

    It was deleted or restored: what is missing, who accepts it and why goes down in it. The
    champion that it names stays, if it names one. The next candidate that passes the gate is held
    until a second person approves it, who is not you.
    """
    guarded(lambda: _accept(one_use_case(use_case), reason))


def _approve(
    use_case: UseCase, name: str, reason: str, effective_from: str | None, expect: str | None
) -> None:
    from finance_assets.commands.champion import Approve

    _announce(use_case, ask(Approve(name, reason, effective_from, expect), use_case))


def _roll_back(
    use_case: UseCase,
    reason: str,
    to: str | None,
    effective_from: str | None,
    expect: str | None,
) -> None:
    from finance_assets.commands.champion import RollBack

    _announce(use_case, ask(RollBack(reason, to, effective_from, expect), use_case))


def _accept(use_case: UseCase, reason: str) -> None:
    from finance_assets.commands.champion import Accept

    _announce(use_case, ask(Accept(reason, _told(use_case)), use_case))
    # The alert goes by the newest check until there is another one.
    found = _examined(use_case, _told(use_case))
    for problem in found.outdated:
        console.print(f"[yellow]{escape(problem)}[/]")
    _fail_with(found.broken)


def _announce(use_case: UseCase, change: "Change") -> None:
    """Tell the user and Dagster; whatever failed is reported, the event is recorded."""
    event, problems = change.event, list(change.problems)
    console.print(
        f"{event.event.replace('_', ' ')}: champion of {use_case.name} is "
        f"[bold]{_version(event.model_version)}[/] from {event.effective_from} on "
        f"(before: {_version(event.replaces)}), by {escape(event.decided_by)}"
    )
    try:
        _tell_dagster(use_case, change)
    except Exception as error:  # noqa: BLE001 - the event is recorded, whatever happens to this
        problems.append(f"The statement in Dagster follows with the next decision: {error}")
    for problem in problems:
        console.print(f"[yellow]{escape(problem)}[/]")


def _version(number: str | None) -> str:
    """A version as it is shown; there may be no champion."""
    return f"v{number}" if number else "none"


def _tell_dagster(use_case: UseCase, change: "Change") -> None:
    """State the newest event in Dagster: only this process knows the instance."""
    from finance_assets.assets.metadata import statement
    from finance_assets.model_life.champion_history import champion_history_contract

    table = champion_history_contract(use_case.name).table
    with _instance() as instance:
        instance.report_runless_asset_event(statement(table, change.statement))


def _instance() -> "dg.DagsterInstance":
    import dagster as dg

    get_settings().prepare_home()
    return dg.DagsterInstance.get()


def _told(use_case: UseCase) -> dict[str, str]:
    """The newest event as Dagster was told of it, by the name of the place."""
    from finance_assets.assets.metadata import stated_history
    from finance_assets.compute.commands import require_used

    require_used(get_settings())
    with _instance() as instance:
        said = stated_history(instance, use_case.name)
    return {"Dagster": said} if said else {}


def _examined(use_case: UseCase, said: dict[str, str]) -> "Findings":
    """What is wrong with the history, given what Dagster was told; Dagster is told of it."""
    from finance_assets.assets.history_check import evaluation_of
    from finance_assets.commands.champion import Verify

    found = ask(Verify(said), use_case)
    with _instance() as instance:
        instance.report_runless_asset_event(evaluation_of(use_case, found))
    return found


def _fail_with(problems: Sequence[str]) -> None:
    """Show what is wrong, and end with 1 if anything is."""
    for problem in problems:
        console.print(f"[red]✗[/] {escape(problem)}")
    if problems:
        raise typer.Exit(1)


def _verify(use_case: UseCase) -> None:
    said = _told(use_case)
    found = _examined(use_case, said)
    _fail_with([*found.broken, *found.outdated])
    compared = "MLflow and Dagster" if said else "MLflow (Dagster states nothing)"
    console.print(
        f"[green]intact[/]: chain, models, evaluations, journals and predictions of "
        f"{use_case.name}; compared with {compared}"
    )


def _history(use_case: UseCase, as_json: bool) -> None:
    from finance_assets.commands.champion import History

    found = ask(History(), use_case)
    if as_json:
        print(json.dumps(asdict(found), indent=2))
        return
    names = ("#", "recorded (UTC)", "event", "champion", "as of", "holds from", "before")
    table = grid(f"Champion history of {use_case.name}", (*names, "by", "reason"))
    for event in found.events:
        table.add_row(
            str(event.sequence),
            event.recorded_at[:19],
            event.event,
            _version(event.model_version),
            event.as_of,
            event.effective_from,
            _version(event.replaces),
            escape(event.decided_by),
            escape(event.reason),
        )
    console.print(table)
    titles = ("recorded (UTC)", "candidate", "as of", "decision", "against", "failed criteria")
    table = grid("Decisions of the gate", titles)
    for decision in found.decisions:
        table.add_row(
            decision.recorded_at[:19],
            f"v{decision.candidate_version}",
            decision.as_of,
            decision.outcome,
            _version(decision.champion_version),
            decision.failed_criteria,
        )
    console.print(table)
    for problem in found.problems:
        console.print(f"[red]✗[/] {escape(problem)}")
