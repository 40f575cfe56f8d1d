"""Journals: append-only tables whose order is decided by the commit.

A writer reads the journal, decides on what it read, and appends only if nobody appended since.
So two writers can never rest on the same last entry. What the entries mean belongs to those who
write them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from finance_assets.calendar import Window
from finance_assets.errors import ContractError
from finance_assets.lakehouse import audit, constraints
from finance_assets.lakehouse.audit import CheckOutcome
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.ddl import columns_ddl
from finance_assets.lakehouse.history import Ledger, Publication
from finance_assets.lakehouse.publish import Origin
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.lakehouse.stored import Row


@dataclass(frozen=True)
class Journal:
    """The rows of an append-only table, and the Delta version they were read at.

    `carried` holds the digests that publications state, one for each row that was appended by
    `append`, with the version that states it; `foreign` the commits that somebody made around it.
    """

    contract: Contract
    rows: tuple[Row, ...]
    version: int
    carried: dict[str, int]
    foreign: tuple[int, ...]


def read_journal(lakehouse: Lakehouse, contract: Contract) -> Journal:
    """The journal as it is now; empty if nothing was ever appended."""
    history = lakehouse.history(contract.table)
    carried = {d: p.version for p in history.publications for d in p.fingerprints.values()}
    return Journal(
        contract,
        tuple(history.rows()),
        history.version,
        carried,
        tuple(history.foreign_versions),
    )


def prepare(lakehouse: Lakehouse, contract: Contract) -> None:
    """Make the journal, empty and with its constraint, unless it is there.

    In a catalog a table belongs to whoever made it: a step makes those that people add to. A table
    of an earlier version of this package gets the rules of today: the old ones may refuse what
    people may add by now.
    """
    stored = lakehouse.table(contract.table)
    if stored.exists:
        constraints.release_outdated(stored, contract)
        stored = lakehouse.table(contract.table)
    if not stored.exists or not constraints.is_enforced(stored, contract):
        _created(lakehouse, contract)


def append(
    lakehouse: Lakehouse, journal: Journal, record: Row, digest: str, origin: Origin
) -> None:
    """Add one row behind those that were read.

    Args:
        lakehouse: where the journal lies.
        journal: what the caller read, and decided on.
        record: the row, a value for each column of the contract.
        digest: what the publication states of the row; a reader finds it in `carried`.
        origin: the run and the code that decided.

    Raises:
        LostRaceError: somebody else appended since; nothing was written.
        ContractError: the row breaks the contract; nothing was written.
    """
    contract = journal.contract
    partition = str(record[contract.partition_column])
    window, ledgers = Window(partition, partition), {partition: Ledger(1, 1)}
    _refuse(contract, outcomes(lakehouse, contract, [record], window, ledgers))
    after = journal.version if journal.version >= 0 else _created(lakehouse, contract)
    publication = Publication(
        table=contract.table,
        first=partition,
        last=partition,
        ledgers=ledgers,
        fingerprints={partition: digest},
        failed_checks={},
        run_id=origin.run_id,
        code_sha=origin.code_sha,
        inputs=origin.inputs,
    )
    lakehouse.table(contract.table).append(contract, [record], publication.to_json(), after)


def _created(lakehouse: Lakehouse, contract: Contract) -> int:
    """Make the table with its constraint; the version behind which the first row goes.

    Raises:
        ContractError: the row rules cannot be put on the table.
    """
    constraints.enforce(lakehouse.ensure(contract).stored, contract)
    created = lakehouse.history(contract.table)
    if not constraints.is_enforced(created.stored, contract):
        raise ContractError(
            "the row rules cannot be put on the table as a constraint",
            where=contract.table,
            remedy="write the conditions so that every engine can keep them",
        )
    # Whoever appended first, the table was made for both of us.
    return min((p.version for p in created.publications), default=created.version + 1) - 1


def outcomes(
    lakehouse: Lakehouse,
    contract: Contract,
    records: Sequence[Row],
    window: Window,
    ledgers: dict[str, Ledger],
) -> list[CheckOutcome]:
    """The outcome of every check of the contract over some of a journal's rows."""
    rows = [tuple(record[name] for name in contract.column_names) for record in records]
    facts = audit.measure(lakehouse.spark.createDataFrame(rows, columns_ddl(contract)), contract)
    return audit.judge(contract, window, [], facts, ledgers)


def _refuse(contract: Contract, found: list[CheckOutcome]) -> None:
    """Refuse a row that breaks the contract.

    Raises:
        ContractError: naming the checks it breaks.
    """
    broken = [f"{o.check.name}: {o.observed}" for o in found if not o.is_passed]
    if broken:
        raise ContractError(
            "; ".join(broken),
            where=contract.table,
            remedy="nothing was changed; correct the record",
        )
