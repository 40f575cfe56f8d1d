"""Contests: which candidate stands against which champion, on which holdout.

Measuring them is measuring.py's business, deciding judging.py's.
"""

from dataclasses import dataclass

from finance_assets.errors import ModelError
from finance_assets.ml.identity import Identity, identify
from finance_assets.ml.model_files import Version
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.splits import TimeSplit
from finance_assets.model_life.champion_history import ChampionEvent, ChampionHistory
from finance_assets.model_life.contracts import candidate_contract
from finance_assets.step.declaration import StepContext


@dataclass(frozen=True)
class Contest:
    """A candidate and the champion it would replace, on the holdout of its partition.

    `identity` is None if the candidate's files are not what was registered.
    """

    split: TimeSplit
    candidate: Version
    identity: Identity | None
    champion: ChampionEvent | None

    @property
    def model_sha256(self) -> str:
        """Digest of the candidate's text; empty if it cannot be read."""
        return self.identity.model_sha256 if self.identity else ""

    @property
    def champion_sha256(self) -> str:
        """Digest of the champion's text; empty without a champion."""
        return self.champion.model_sha256 if self.champion else ""


def contest(
    ctx: StepContext,
    spec: ModelSpec,
    split: TimeSplit,
    history: ChampionHistory,
    candidate: Version | None = None,
) -> Contest:
    """The partition's candidate, or the given one, against today's champion.

    A candidate that became champion already stands against the one it replaced then.
    """
    candidate = candidate or candidate_version(ctx, spec, split.as_of)
    try:
        identity = identify(ctx.registry, candidate)
    except (ModelError, LookupError, ValueError) as error:
        ctx.report(f"v{candidate.number} is not what was registered: {error}")
        return Contest(split, candidate, None, history.newest)
    crowned = history.crowning(identity)
    if crowned is None:
        return Contest(split, candidate, identity, history.newest)
    before = [event for event in history.events if event.sequence < crowned.sequence]
    return Contest(split, candidate, identity, before[-1] if before else None)


def candidate_version(ctx: StepContext, spec: ModelSpec, as_of: str) -> Version:
    """The registered candidate as of a partition.

    Raises:
        ModelError: none was trained.
    """
    for row in ctx.lakehouse.history(candidate_contract(spec).table).rows():
        if row["as_of"] == as_of:
            return ctx.registry.version(spec.name, str(row["model_version"]))
    raise ModelError(
        "no candidate was trained",
        where=f"{candidate_contract(spec).table}, as of {as_of}",
        remedy="materialise the candidate of this partition first",
    )
