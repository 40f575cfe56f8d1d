"""The entry point of a task: find steps by key, run them on the session there is, report.

The same for a task that Dagster submitted (it finds Pipes parameters and reports through them)
and for one of a plain Databricks job (it prints). No Dagster is needed here, only dagster-pipes.
"""

import argparse
import json
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster_pipes import (
    DAGSTER_PIPES_CONTEXT_CLI_ARGUMENT,
    PipesCliArgsParamsLoader,
    PipesMessage,
    PipesMessageWriter,
    PipesMessageWriterChannel,
    PipesUnityCatalogVolumesContextLoader,
    open_dagster_pipes,
)

from finance_assets.compute.results import to_record
from finance_assets.compute.runner import run_step
from finance_assets.compute.sessions import open_session
from finance_assets.errors import FinanceAssetsError, SettingsError, TooEarlyError
from finance_assets.lakehouse.windows import Window, shift_month
from finance_assets.settings import get_settings
from finance_assets.step.declaration import Step, StepResult
from finance_assets.use_cases import ALL

FLUSH_SECONDS = 2.0
PREVIOUS_MONTH = "previous_month"
CHUNK = re.compile(r"(\d+)-(\d+)\.json")
RESULT, STARTED, FAILURE = "step_result", "step_started", "step_failure"

Send = Callable[[str, dict[str, Any]], None]


class RemoteRefusalError(Exception):
    """A step's rows did not pass the audit; what was broken is in the message."""


class ChunkChannel(PipesMessageWriterChannel):
    """Writes messages as files `<attempt>-<chunk>.json` into a folder of a volume.

    Whole files only: each is written under another name and then renamed, so that a reader never
    meets half a message. No thread: what waits is written with the first message after
    `FLUSH_SECONDS`, and at the end. A task that is retried counts as a new attempt, and leaves
    the files of those before it alone.
    """

    def __init__(self, folder: str) -> None:
        """Begin with chunk 1 of the first attempt that has no file yet."""
        self._folder, self._next, self._waiting = Path(folder), 1, list[str]()
        found = (CHUNK.fullmatch(name) for name in os.listdir(folder))  # noqa: PTH208
        self._attempt = 1 + max((int(match.group(1)) for match in found if match), default=0)
        self._written = time.monotonic()

    def write_message(self, message: PipesMessage) -> None:
        """Keep a message, and write what waits if it is time."""
        self._waiting.append(json.dumps(message))
        if time.monotonic() - self._written >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what waits as the next chunk."""
        if not self._waiting:
            return
        text = "\n".join(self._waiting)
        name = f"{self._attempt}-{self._next}"
        hidden = self._folder / f".{name}.part"
        with open(hidden, "w", encoding="utf-8") as file:  # noqa: PTH123 - volumes are mounted
            file.write(text)
        os.replace(hidden, self._folder / f"{name}.json")  # noqa: PTH105
        self._waiting, self._written = [], time.monotonic()
        self._next += 1


class VolumeMessageWriter(PipesMessageWriter[ChunkChannel]):
    """Pipes messages through a Unity Catalog volume."""

    @contextmanager
    def open(self, params: Mapping[str, Any]) -> Iterator[ChunkChannel]:
        """The channel; everything is written when it closes, whatever happened."""
        channel = ChunkChannel(params["path"])
        try:
            yield channel
        finally:
            channel.flush()


def main(arguments: list[str] | None = None) -> None:
    """Run the named steps over a window, one after the other.

    Ends with an error if a step failed or its rows were refused: later tasks must not run.
    """
    given = sys.argv[1:] if arguments is None else arguments
    options = _parsed(given)
    for pair in options.set:
        name, _, value = pair.partition("=")
        os.environ[f"FINANCE_ASSETS_{name.upper()}"] = value
    get_settings.cache_clear()
    steps = [find_step(key) for key in options.step]
    first = _partition(options.first, options.triggered)
    window = Window(first, options.last or first)
    with _reporting(given) as send:
        for step in steps:
            _run(step, window, options.run_id, send)


def find_step(key: str) -> Step:
    """The step that makes a table, of whichever use case.

    Raises:
        SettingsError: there is none.
    """
    found = {step.key: step for use_case in ALL.values() for step in use_case.steps}
    if key not in found:
        raise SettingsError(
            f"there is no step {key!r}", where="--step", remedy=f"one of: {', '.join(found)}"
        )
    return found[key]


def _partition(first: str, triggered: str | None) -> str:
    """The partition: as named, or the month before the one in which the run was triggered.

    Raises:
        SettingsError: neither is given in a form that names a month.
    """
    if first == PREVIOUS_MONTH and triggered:
        return shift_month(triggered[:7], -1)
    if not re.fullmatch(r"\d{4}-\d{2}", first):
        raise SettingsError(
            f"{first!r} is no partition",
            where="--first",
            remedy=f"YYYY-MM, or {PREVIOUS_MONTH} with --triggered YYYY-MM-DD",
        )
    return first


def _parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="finance-assets-step", description=main.__doc__)
    parser.add_argument("--step", action="append", required=True, help="table, <layer>.<entity>")
    parser.add_argument("--first", required=True, help=f"partition YYYY-MM, or {PREVIOUS_MONTH}")
    parser.add_argument("--triggered", help="day on which the run was triggered, YYYY-MM-DD")
    parser.add_argument("--last", help="last partition; by default the first")
    parser.add_argument("--run-id", default="job", help="who asks: id of the orchestrating run")
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
        if send is not _print:
            send(FAILURE, _failure(step, error))
            raise
        # In a job that runs every month, a month too early for a model is no failure.
        send("log", {"key": step.key, "text": f"skipped: {error.what}"})
        return
    except Exception as error:
        send(FAILURE, _failure(step, error))
        raise
    send(RESULT, {"key": step.key, "result": to_record(result)})
    if result.publication is None:
        raise RemoteRefusalError(_refusal(step, result))


def _failure(step: Step, error: Exception) -> dict[str, Any]:
    known = isinstance(error, FinanceAssetsError)
    return {
        "key": step.key,
        "type": type(error).__name__,
        "text": str(error),
        "remedy": error.remedy if isinstance(error, FinanceAssetsError) else "",
        "trace": "" if known else "".join(traceback.format_exception(error)),
        "is_ours": known,
    }


def _refusal(step: Step, result: StepResult) -> str:
    broken = [f"{o.check.name}: {o.observed}" for o in result.outcomes if not o.is_passed]
    return f"{step.key} is unchanged; failed checks: {'; '.join(broken)}"


@contextmanager
def _reporting(arguments: list[str]) -> Iterator[Send]:
    """Through Pipes when its parameters are there, else in print."""
    if DAGSTER_PIPES_CONTEXT_CLI_ARGUMENT not in arguments:
        yield _print
        return
    with open_dagster_pipes(
        params_loader=PipesCliArgsParamsLoader(),  # type: ignore[no-untyped-call]
        context_loader=PipesUnityCatalogVolumesContextLoader(),
        message_writer=VolumeMessageWriter(),
    ) as pipes:

        def send(kind: str, content: dict[str, Any]) -> None:
            if kind == "log":
                pipes.log.info(f"{content['key']}: {content['text']}")
            else:
                pipes.report_custom_message({"kind": kind, **content})

        yield send


def _print(kind: str, content: dict[str, Any]) -> None:
    if kind == RESULT:
        record = content["result"]
        failed = [o["check"]["name"] for o in record["outcomes"] if not o["is_passed"]]
        facts = {**record["metadata"], "version": record["version"], "failed_checks": failed}
        print(f"{content['key']}: {json.dumps(facts, default=str)}", flush=True)
    else:
        print(f"{content['key']}: {content.get('text') or content.get('window')}", flush=True)


if __name__ == "__main__":
    main()
