"""Reporting: how a task tells whoever submitted it what happens, through a folder of a volume.

With Pipes parameters on the command line the messages go there, without them they are printed.
"""

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from dagster_pipes import (
    DAGSTER_PIPES_CONTEXT_CLI_ARGUMENT,
    PipesCliArgsParamsLoader,
    PipesMessage,
    PipesMessageWriter,
    PipesMessageWriterChannel,
    PipesUnityCatalogVolumesContextLoader,
    open_dagster_pipes,
)

from finance_assets.codec import Json
from finance_assets.compute.results import from_record

FLUSH_SECONDS = 2.0
CHUNK = re.compile(r"(\d+)-(\d+)\.json")
RESULT, STARTED, FAILURE = "step_result", "step_started", "step_failure"
ANSWER = "answer"

# What a message says, by its kind.
Content: TypeAlias = Mapping[str, Json]
Send = Callable[[str, Content], None]


@dataclass(frozen=True)
class Failure:
    """Why a step or a command failed; `is_ours`: an error that a person can act on."""

    key: str
    type: str
    text: str
    what: str
    where: str
    remedy: str
    trace: str
    is_ours: bool


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


@contextmanager
def reporting(arguments: list[str]) -> Iterator[Send]:
    """Through Pipes when its parameters are there, else in print."""
    if DAGSTER_PIPES_CONTEXT_CLI_ARGUMENT not in arguments:
        yield print_message
        return
    with open_dagster_pipes(
        params_loader=PipesCliArgsParamsLoader(),  # type: ignore[no-untyped-call]
        context_loader=PipesUnityCatalogVolumesContextLoader(),
        message_writer=VolumeMessageWriter(),
    ) as pipes:

        def send(kind: str, content: Content) -> None:
            if kind == "log":
                pipes.log.info(f"{content['key']}: {content['text']}")
            else:
                pipes.report_custom_message({"kind": kind, **content})

        yield send


def print_message(kind: str, content: Content) -> None:
    """What a task says where nobody reads messages."""
    if kind == RESULT:
        result = from_record(content["result"])
        failed = [outcome.check.name for outcome in result.outcomes if not outcome.is_passed]
        version = result.publication.version if result.publication else None
        facts = {**result.metadata, "version": version, "failed_checks": failed}
        print(f"{content['key']}: {json.dumps(facts, default=str)}", flush=True)
    elif kind == ANSWER:
        print(f"{content['key']}: {json.dumps(content['result'])}", flush=True)
    else:
        print(f"{content['key']}: {content.get('text') or content.get('window')}", flush=True)
