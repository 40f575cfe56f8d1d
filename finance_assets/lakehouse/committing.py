"""Commit: a proposal's rows, or a text without rows, as one atomic commit to a table.

What is to be committed, and whether anything is, belongs to publish.py.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from finance_assets.errors import PublishConflictError
from finance_assets.lakehouse import audit
from finance_assets.lakehouse.proposal import Proposal
from finance_assets.lakehouse.publication import Publication
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.lakehouse.stored import StoredTable

T = TypeVar("T")
# Sail words a lost race the first way, deltalake the second, Delta on the JVM and on Databricks the
# others.
CONFLICT_MARKS = (
    "Failed to commit transaction",
    "CommitFailedError",
    "ConcurrentModification",
    "ConcurrentAppend",
    "ConcurrentWrite",
    "ConcurrentDelete",
    "ConcurrentTransaction",
    "MetadataChanged",
    "DELTA_CONCURRENT",
)


def commit(lakehouse: Lakehouse, proposal: Proposal, publication: Publication) -> None:
    """One atomic Delta commit that replaces exactly the partitions that the proposal means.

    Raises:
        PublishConflictError: other writers won every one of the allowed attempts.
    """
    contract, said = proposal.contract, publication.to_json()
    stored = lakehouse.table(contract.table)
    files = proposal.files
    if files is None and set(publication.fingerprints.values()) == {audit.EMPTY.fingerprint}:
        # An engine makes no commit for no rows in place of none, and nothing would be on record.
        files = {partition: [] for partition in proposal.meant}
    if files is not None:
        adopt = partial(stored.adopt, files, said)
        if _patiently(lakehouse, proposal, adopt):
            return
    writer = proposal.rows.select(*contract.column_names).write.format("delta")
    writer = writer.option("userMetadata", said)
    predicate = proposal.predicate
    writer = writer.mode("overwrite").option("replaceWhere", predicate)
    _patiently(lakehouse, proposal, partial(stored.save, writer))


def confirm(
    lakehouse: Lakehouse, stored: StoredTable, proposal: Proposal, confirmation: Publication
) -> None:
    """Commit what a run says of partitions whose rows are as they should be.

    Where no commit can be made without rows, they are written once more.
    """
    annotate = partial(stored.annotate, confirmation.to_json())
    if not _patiently(lakehouse, proposal, annotate):
        commit(lakehouse, proposal, confirmation)


def _patiently(lakehouse: Lakehouse, proposal: Proposal, act: Callable[[], T]) -> T:
    """Do it again as long as another writer commits first.

    Raises:
        PublishConflictError: other writers won every one of the allowed attempts.
    """
    attempts = Retrying(
        retry=retry_if_exception(_is_conflict),
        stop=stop_after_attempt(lakehouse.publish_attempts),
        wait=wait_random_exponential(multiplier=0.1, max=5),
    )
    try:
        return attempts(act)
    except RetryError as error:
        raise PublishConflictError(
            f"{lakehouse.publish_attempts} attempts met another writer's commit",
            where=f"{proposal.contract.table}, window {proposal.window}",
            remedy="see who writes this table outside publish, then run the partition again",
        ) from error.last_attempt.exception()


def _is_conflict(error: BaseException) -> bool:
    text = f"{type(error).__name__} {error}"
    return any(mark in text for mark in CONFLICT_MARKS)
