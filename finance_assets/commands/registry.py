"""The commands by name, for whoever gets one over a wire."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from finance_assets.codec import Json
from finance_assets.commands.champion import Accept, Approve, History, RollBack, Verify
from finance_assets.commands.command import Command
from finance_assets.commands.maintain import Maintain
from finance_assets.commands.models import Card, Reproduce, Trace
from finance_assets.commands.rejects import Rejects
from finance_assets.commands.status import Status
from finance_assets.errors import SettingsError

ALL: tuple[type[Command[Any]], ...] = (
    *(Status, Rejects, History, Verify, Maintain),
    *(Approve, RollBack, Accept),
    *(Reproduce, Trace, Card),
)
BY_NAME = {command.name: command for command in ALL}


def command_of(name: str, record: Mapping[str, Json]) -> Command[Any]:
    """The command of that name with these arguments.

    Raises:
        SettingsError: there is none, or it does not take them.
    """
    if name not in BY_NAME:
        raise SettingsError(
            f"there is no command {name!r}",
            where="--command",
            remedy=f"one of: {', '.join(BY_NAME)}",
        )
    try:
        command: Command[Any] = TypeAdapter(BY_NAME[name]).validate_python(record)
    except ValueError as error:
        raise SettingsError(
            f"{name} does not take these arguments: {error}",
            where="--arguments",
            remedy="use the same version of this package here and there",
        ) from error
    return command
