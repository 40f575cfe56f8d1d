"""The entry point of a task: find steps or a command by name, run them on the session there is,
report.

The same for a task that Dagster or the command line submitted (it finds Pipes parameters and
reports through them) and for one of a plain Databricks job (it prints). No Dagster is needed here,
only dagster-pipes.
"""

import argparse
import json
import os
import sys
import traceback
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import version

from finance_assets.calendar import DUE, Window, moment
from finance_assets.codec import Json
from finance_assets.compute.reporting import (
    ANSWER,
    FAILURE,
    RESULT,
    STARTED,
    Failure,
    Send,
    print_message,
    reporting,
)
from finance_assets.compute.results import to_record
from finance_assets.compute.runner import run_step
from finance_assets.compute.sessions import open_session
from finance_assets.compute.stores import as_ours
from finance_assets.errors import FinanceAssetsError, SettingsError, TooEarlyError
from finance_assets.garbage import collect_rarely
from finance_assets.settings import get_settings
from finance_assets.step.arguments import require_partition
from finance_assets.step.declaration import Step, StepResult
from finance_assets.step.use_case import UseCase
from finance_assets.use_cases import all_use_cases


class RemoteRefusalError(Exception):
    """A step's rows did not pass the audit; what was broken is in the message."""


def main(arguments: list[str] | None = None) -> None:
    """Run the named steps over a window, one after the other; or a command on use cases.

    Ends with an error if one failed or its rows were refused: later tasks must not run.
    """
    collect_rarely()
    given = sys.argv[1:] if arguments is None else arguments
    options = _parsed(given)
    if options.wheel:
        _require_wheel(options.wheel)
    take_settings(options.set)
    if options.command:
        use_cases = [find_use_case(name) for name in options.use_case]
        with reporting(given) as send:
            for use_case in use_cases:
                _answer(use_case, options, send)
        return
    steps = [find_step(key) for key in options.step]
    with reporting(given) as send:
        window = _window(find_use_case(steps[0].use_case), options)
        if window is None:
            # A schedule goes on before and after the calendar; that is no failure of its runs.
            text = f"skipped: no partition is due at {options.triggered}"
            send("log", {"key": steps[0].key, "text": text})
            return
        for step in steps:
            _run(step, window, options.run_id, send)


def _require_wheel(sent: str) -> None:
    """Refuse to run other code than what was sent: a cluster that lives on has what it installed.

    Raises:
        SettingsError: this is another version.
    """
    found = version("finance-assets")
    if found != sent:
        raise SettingsError(
            f"this compute runs finance-assets {found}, and {sent} was sent",
            where="its installed libraries",
            remedy="restart the cluster, or take a shape that starts one of its own "
            "(FINANCE_ASSETS_DATABRICKS_SHAPE)",
        )


def take_settings(pairs: Iterable[str]) -> None:
    """Make NAME=VALUE pairs the settings of this process."""
    for pair in pairs:
        name, _, value = pair.partition("=")
        os.environ[f"FINANCE_ASSETS_{name.upper()}"] = value
    get_settings.cache_clear()


def find_step(key: str) -> Step:
    """The step that makes a table, of whichever use case.

    Raises:
        SettingsError: there is none.
    """
    found = {step.key: step for use_case in all_use_cases().values() for step in use_case.steps}
    if key not in found:
        raise SettingsError(
            f"there is no step {key!r}", where="--step", remedy=f"one of: {', '.join(found)}"
        )
    return found[key]


def find_use_case(name: str) -> UseCase:
    """The use case of that name.

    Raises:
        SettingsError: there is none.
    """
    known = all_use_cases()
    if name not in known:
        raise SettingsError(
            f"there is no use case {name!r}",
            where="--use-case",
            remedy=f"one of: {', '.join(known)}",
        )
    return known[name]


def _window(use_case: UseCase, options: argparse.Namespace) -> Window | None:
    """What the run is for: partitions of the calendar as named, or the one that is due when the
    run is triggered; None where none is due.

    Raises:
        SettingsError: what is named is no partition of the calendar.
    """
    calendar, first = use_case.calendar, options.first
    if first == DUE and options.triggered:
        first = calendar.scheduled(moment(options.triggered))
        if first is None:
            return None
    require_partition(calendar, first, f"--first, {use_case.name}")
    last = require_partition(calendar, options.last or first, f"--last, {use_case.name}")
    return calendar.window(first, last)


def _parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="finance-assets-step", description=main.__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--step", action="append", help="table, <layer>.<entity>")
    what.add_argument("--command", help="name of a command, instead of steps")
    parser.add_argument("--use-case", action="append", default=[], help="what a command is about")
    parser.add_argument("--arguments", default="{}", help="a command's, JSON")
    parser.add_argument("--submitter", help="whom a command has to act as")
    parser.add_argument("--first", default="", help=f"partition, or {DUE}")
    parser.add_argument("--triggered", help="when the run was triggered, ISO 8601")
    parser.add_argument("--last", help="last partition; by default the first")
    parser.add_argument("--run-id", default="job", help="who asks: id of the orchestrating run")
    parser.add_argument("--wheel", help="version of this package that was sent for the task")
    parser.add_argument("--set", action="append", default=[], help="NAME=VALUE of a setting")
    # Pipes reads its own two parameters from the command line.
    return parser.parse_known_args(arguments)[0]


def _run(step: Step, window: Window, run_id: str, send: Send) -> None:
    settings = get_settings()
    if settings.storage is None:
        settings.prepare_home()
    send(STARTED, {"key": step.key, "window": str(window)})
    try:
        result = run_step(
            step,
            window,
            settings=settings,
            session=lambda: open_session(settings),
            run_id=run_id,
            report=lambda text: send("log", {"key": step.key, "text": text}),
        )
    except TooEarlyError as error:
        if send is not print_message:
            send(FAILURE, _failure(step.key, error))
            raise
        # In a job that runs every partition, one too early for a model is no failure.
        send("log", {"key": step.key, "text": f"skipped: {error.what}"})
        return
    except Exception as error:
        send(FAILURE, _failure(step.key, error))
        raise
    send(RESULT, {"key": step.key, "result": to_record(result)})
    if result.publication is None:
        raise RemoteRefusalError(_refusal(step, result))


def _answer(use_case: UseCase, options: argparse.Namespace, send: Send) -> None:
    # Imported here: a table step needs no model libraries.
    from finance_assets.commands.registry import command_of
    from finance_assets.compute.commands import run_here

    key, settings = use_case.name, get_settings()
    try:
        command = command_of(options.command, json.loads(options.arguments))
        result = run_here(
            command,
            use_case,
            settings,
            options.run_id,
            lambda text: send("log", {"key": key, "text": text}),
            options.submitter,
        )
    except Exception as error:
        send(FAILURE, _failure(key, as_ours(error, settings) or error))
        raise
    send(ANSWER, {"key": key, "result": command.result_record(result)})


def _failure(key: str, error: Exception) -> dict[str, Json]:
    ours = error if isinstance(error, FinanceAssetsError) else None
    failure = Failure(
        key=key,
        type=type(error).__name__,
        text=str(error),
        what=ours.what if ours else "",
        where=ours.where if ours else "",
        remedy=ours.remedy if ours else "",
        trace="" if ours else "".join(traceback.format_exception(error)),
        is_ours=ours is not None,
    )
    return asdict(failure)


def _refusal(step: Step, result: StepResult) -> str:
    broken = [f"{o.check.name}: {o.observed}" for o in result.outcomes if not o.is_passed]
    return f"{step.key} is unchanged; failed checks: {'; '.join(broken)}"


if __name__ == "__main__":
    main()
