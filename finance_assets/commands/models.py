"""Commands about one version of a model, or one prediction: reproduce, card, trace."""

from dataclasses import dataclass
from typing import ClassVar

from finance_assets.commands.command import Command
from finance_assets.errors import ModelError
from finance_assets.lakehouse.archive import DeliveryArchive
from finance_assets.ml.model_files import Version
from finance_assets.model_life import trace
from finance_assets.model_life.card_text import render_card
from finance_assets.model_life.cards import gather_card
from finance_assets.model_life.reproduce import Reproduction, reproduce
from finance_assets.step.declaration import StepContext
from finance_assets.step.use_case import UseCase

MAX_DIGITS = 9
TRAINING_SECONDS = 14400


@dataclass(frozen=True)
class Reproduce(Command[Reproduction]):
    """Train a version again from its recorded data and recipe, and compare."""

    name: ClassVar[str] = "reproduce"
    limit_seconds: ClassVar[int] = TRAINING_SECONDS

    version: str

    def run(self, ctx: StepContext, use_case: UseCase) -> Reproduction:
        """Every comparison, and what stood in the way."""
        version = find_version(ctx, use_case, self.version)
        return reproduce(ctx, use_case.model, use_case.calendar, version)


@dataclass(frozen=True)
class Card(Command[str]):
    """The model card of a version."""

    name: ClassVar[str] = "card"

    version: str

    def run(self, ctx: StepContext, use_case: UseCase) -> str:
        """The card as Markdown."""
        version = find_version(ctx, use_case, self.version)
        return render_card(gather_card(ctx, use_case.model, version))


@dataclass(frozen=True)
class Trace(Command[trace.Trace]):
    """Follow a prediction back to its model, its features and the delivered lines."""

    name: ClassVar[str] = "trace"
    needs_models: ClassVar[bool] = False

    key: tuple[str, ...]
    partition: str

    def run(self, ctx: StepContext, use_case: UseCase) -> trace.Trace:
        """The way back; each `key` is column=value."""
        archive = DeliveryArchive(ctx.settings.archive_root)
        return trace.trace(ctx.lakehouse, archive, use_case, list(self.key), self.partition)


def find_version(ctx: StepContext, use_case: UseCase, name: str) -> Version:
    """A version by number (`2`, `v2`) or by alias.

    Raises:
        ModelError: there is none.
    """
    number = name.removeprefix("v")
    if not number.isdigit():
        aliases = ctx.registry.aliases(use_case.name)
        if name not in aliases:
            raise ModelError(
                f"no version has the alias {name!r}",
                where=use_case.name,
                remedy=f"a number, or one of: {', '.join(sorted(aliases)) or 'none yet'}",
            )
        number = aliases[name]
    if not number.isascii() or len(number) > MAX_DIGITS:
        raise ModelError(
            f"{name!r} is no version of a model",
            where=use_case.name,
            remedy="see `finance-assets status`",
        )
    return ctx.registry.version(use_case.name, number)


def require_number(ctx: StepContext, use_case: UseCase, name: str) -> str:
    """The number of a version, for a command that changes the champion.

    An alias is whichever version has it once the command runs, not the one that a person read
    the card of.

    Raises:
        ModelError: it is an alias, or there is no such version.
    """
    number = find_version(ctx, use_case, name).number
    if name.removeprefix("v") != number:
        raise ModelError(
            f"{name!r} may be another version by the time this runs; the champion is changed to a "
            "version by its number",
            where=use_case.name,
            remedy=f"{name} is v{number} now: read `finance-assets card {use_case.name} {number}`, "
            f"then give {number}",
        )
    return number
