"""Looks at holdouts: a journal of every candidate that was measured on one.

The more often a holdout was looked at, the likelier is a gain by luck; how much surer it has to
be is said in ml/estimates.py.
"""

from dataclasses import asdict, dataclass

from finance_assets.calendar import Window
from finance_assets.errors import LostRaceError
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.journal import append, read_journal
from finance_assets.lakehouse.record import columns_of, described, from_rows
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.decision_log import ATTEMPTS, now, record_digest, worn_out
from finance_assets.step.declaration import StepContext


@dataclass(frozen=True)
class Look:
    """A candidate measured on a holdout: one more chance to be good there by luck.

    `number` counts the looks at this holdout, or at one that overlaps with it.
    """

    as_of: str = described("Partition as of which the candidate was trained")
    holdout_first: str = described("First partition of the holdout")
    holdout_last: str = described("Last partition of the holdout")
    model_sha256: str = described("Digest of the candidate")
    champion_sha256: str = described("Digest of the champion it was compared with")
    number: int = described("How many looks there were by then, this one included")
    run_id: str = described("Run that looked")
    recorded_at: str = described("When it was recorded (UTC, ISO 8601)", default="")

    def overlaps(self, holdout: Window) -> bool:
        """Whether it looked at some of the holdout's partitions."""
        return self.holdout_first <= holdout.last and holdout.first <= self.holdout_last


def looks_contract(spec: ModelSpec) -> Contract:
    """One row per look; rows are only ever added."""
    return Contract(
        table=f"monitoring.{spec.name}_holdout_looks",
        description="Every look at a holdout. The more often it was looked at, the surer a gain "
        "has to be.",
        columns=columns_of(Look),
        key=("as_of", "model_sha256", "champion_sha256"),
        partition_column="as_of",
        is_append_only=True,
    )


def count_look(
    ctx: StepContext, spec: ModelSpec, as_of: str, holdout: Window, model: str, champion: str
) -> int:
    """Record that a candidate is about to be measured, and say how many looks there are by now.

    The same comparison again is the same look. Recorded before measuring, so that a look whose
    run died counts.
    """
    contract = looks_contract(spec)
    for _ in range(ATTEMPTS):
        journal = read_journal(ctx.lakehouse, contract)
        known = from_rows(Look, journal.rows, contract.table)
        looks = [look for look in known if look.overlaps(holdout)]
        known = [
            x
            for x in looks
            if (x.as_of, x.model_sha256, x.champion_sha256) == (as_of, model, champion)
        ]
        if known:
            return known[0].number
        look = Look(
            as_of=as_of,
            holdout_first=holdout.first,
            holdout_last=holdout.last,
            model_sha256=model,
            champion_sha256=champion,
            number=len(looks) + 1,
            run_id=ctx.origin.run_id,
            recorded_at=now(),
        )
        record = asdict(look)
        try:
            append(ctx.lakehouse, journal, record, record_digest(record), ctx.origin)
        except LostRaceError:
            continue
        return look.number
    raise worn_out(contract)
