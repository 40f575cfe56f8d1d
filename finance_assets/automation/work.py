"""Work: which partition the pipeline takes next, and why not, in words.

Pure: what landed and what it changes is gathered in landing.py. A partition is tried once for
each state of what goes into it, so that what was refused is not refused again every minute.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

# What kills its process each time is not tried for ever.
MAX_KILLED = 3


@dataclass(frozen=True)
class Pending:
    """A partition whose tables are not what they would be if its pipeline ran now.

    `reasons` say why; `cause` is a digest of everything that goes into it from outside: its
    deliveries, and what it reads of other partitions. `waits_for`: what has to come first.
    `steps`: the tables that it can make, where these are not all of its pipeline.
    """

    partition: str
    reasons: tuple[str, ...]
    cause: str
    waits_for: str = ""
    steps: tuple[str, ...] = ()


@dataclass(frozen=True)
class LastRun:
    """The newest ended run of something, and the cause that it was requested for.

    `is_stored`: the tables hold something of it. They do not once they were deleted or restored.
    `killed`: how many runs for this cause did not fail, but lost their process; none if this one
    failed by itself.
    """

    run_id: str
    cause: str
    is_success: bool
    is_stored: bool = False
    killed: int = 0

    @property
    def has_failed(self) -> bool:
        """Whether it failed by itself; what kills its process each time counts as that, too."""
        return not self.is_success and not 0 < self.killed < MAX_KILLED


@dataclass(frozen=True)
class Work:
    """Run the pipeline of a partition, or some `steps` of it. `key` names the cause, once."""

    partition: str
    cause: str
    key: str
    reason: str
    steps: tuple[str, ...] = ()


@dataclass(frozen=True)
class NoWork:
    """Nothing to do, and the sentence that says why."""

    reason: str


def next_work(
    pending: Sequence[Pending],
    last_run: Callable[[str], LastRun | None],
    in_flight: Sequence[str] = (),
) -> Work | NoWork:
    """The oldest partition to run; later ones may rest on it.

    Args:
        pending: oldest first.
        last_run: asked about a pending partition.
        in_flight: the ids of the use case's runs that did not end yet.
    """
    if not pending:
        return NoWork("everything that was delivered is in, and nothing it rests on changed")
    if in_flight:
        return NoWork(
            f"{pending[0].partition} is next; waiting for run {in_flight[0][:8]} to end first"
        )
    refusals = []
    for one in pending:
        if one.waits_for:
            # Dagster is not asked: after a restart all files are looked at once more.
            refusals.append(f"{one.partition}: {one.waits_for}")
            continue
        known = last_run(one.partition)
        refusal = _refusal(one, known)
        if refusal:
            refusals.append(refusal)
            continue
        key = f"{one.partition}:{one.cause}:{known.run_id if known else 'first'}"
        return Work(one.partition, one.cause, key, "; ".join(one.reasons), one.steps)
    return NoWork("; ".join(refusals[:5]))


def _refusal(one: Pending, known: LastRun | None) -> str:
    """Why a partition is not run now; empty if it is."""
    if known is None or known.cause != one.cause:
        return ""
    if known.has_failed:
        return (
            f"{one.partition}: run {known.run_id[:8]} failed on just this; it waits for another "
            "delivery, or for a person who runs it again"
        )
    if known.is_success and known.is_stored:
        return f"{one.partition}: run {known.run_id[:8]} left it as it is ({one.reasons[0]})"
    # It was killed; or the tables know nothing of it: they were deleted or restored since.
    return ""
