"""What one more partition costs on a table that has many."""

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, write_deltalake

from finance_assets.calendar import Calendar, Frequency
from finance_assets.compute.runner import open_lakehouse
from finance_assets.compute.sessions import open_session
from finance_assets.lakehouse.contract import Column, Contract
from finance_assets.lakehouse.history import Ledger, Publication
from finance_assets.lakehouse.proposal import Proposal, staged_files
from finance_assets.lakehouse.publish import Origin, publish
from finance_assets.lakehouse.staged import arrow_schema, write_records
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.lakehouse.stored import Row
from finance_assets.settings import Settings

DAYS = Calendar(Frequency.daily, "2005-01-01")
CONTRACT = Contract(
    table="silver.days",
    description="A row a day and thing.",
    columns=(
        Column("id", "bigint", "Number"),
        Column("day", "string", "Day"),
        Column("value", "double", "Value", unit="m"),
        Column("weight", "double", "Weight", unit="kg"),
        Column("count", "bigint", "Count"),
        Column("note", "string", "Note", is_nullable=True),
    ),
    key=("id", "day"),
    partition_column="day",
)
SCHEMA = arrow_schema(CONTRACT)
ORIGIN = Origin("bench", "bench")


def day(number: int) -> str:
    """The partition of that number, from 0."""
    return DAYS.shift(DAYS.first, number)


def records_of(partition: str) -> list[Row]:
    """Ten rows."""
    rows = [(i, partition, i + 0.5, i * 2.0, i, None) for i in range(10)]
    return [dict(zip(SCHEMA.names, row, strict=True)) for row in rows]


def publication_of(partition: str) -> Publication:
    """What publish would say of the rows of a partition, but for a true fingerprint."""
    return Publication(
        table=CONTRACT.table,
        first=partition,
        last=partition,
        ledgers={partition: Ledger(10, 10)},
        fingerprints={partition: "10:1234567890123456789"},
        failed_checks={},
        run_id="bench",
        code_sha="bench",
        inputs={"bronze.days": 7},
        made_from={partition: "0123456789abcdef"},
    )


def grow(lakehouse: Lakehouse, first: int, last: int) -> None:
    """One commit each for the partitions of these numbers, and a checkpoint every ten, as Sail."""
    lakehouse.ensure(CONTRACT)
    hooks = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
    table = DeltaTable(str(lakehouse.path(CONTRACT.table)))
    for number in range(first, last):
        partition = day(number)
        text = publication_of(partition).to_json()
        write_deltalake(
            table,
            pa.Table.from_pylist(records_of(partition), schema=SCHEMA),
            mode="append",
            commit_properties=CommitProperties(custom_metadata={"userMetadata": text}),
            post_commithook_properties=hooks,
        )
        if number % 10 == 9:
            table.create_checkpoint()


def publish_one(lakehouse: Lakehouse, number: int) -> None:
    """Publish the next partition, as steps do: from a staged file."""
    partition = day(number)
    window, ledgers = DAYS.window(partition), {partition: Ledger(10, 10)}
    with lakehouse.staging() as folder:
        file = write_records(folder, CONTRACT, records_of(partition))
        rows, files = lakehouse.staged_rows(CONTRACT, [file]), staged_files(window, folder)
        done = publish(lakehouse, Proposal(CONTRACT, window, rows, ledgers, files=files), ORIGIN)
    assert done.changed == (partition,)


def questions(lakehouse: Lakehouse, partition: str) -> None:
    """What a step asks of the log about one partition."""
    history = lakehouse.history(CONTRACT.table)
    history.publication_of(partition)
    history.in_force(partition)
    history.altered_at(partition)


def timed(act: Callable[[], object]) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def measure(lakehouse: Lakehouse, partitions: int, times: int) -> dict[str, float]:
    """Median seconds of the parts of a publication, and of all of it (`work_s`), on a table with
    so many partitions.
    """
    table, new, old = CONTRACT.table, day(partitions + times), day(partitions // 2)
    publish_one(lakehouse, partitions)
    parts: dict[str, Callable[[], object]] = {
        "questions, new partition": lambda: questions(lakehouse, new),
        "questions, old partition": lambda: questions(lakehouse, old),
        "ensure": lambda: lakehouse.ensure(CONTRACT),
        "all deliveries": lambda: lakehouse.history(table).deliveries(),
        "read one partition": lambda: lakehouse.read(CONTRACT, DAYS.window(old)).collect(),
        "open with deltalake": lambda: DeltaTable(str(lakehouse.path(table))),
    }
    publishing = [
        timed(partial(publish_one, lakehouse, partitions + number)) for number in range(1, times)
    ]
    found = {"work_s": statistics.median(publishing)}
    for name, act in parts.items():
        found[name] = statistics.median([timed(act) for _ in range(times)])
    return found


def measure_size(size: int, times: int = 9) -> dict[str, float]:
    """Measure a table that has so many partitions already."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), git_sha="benchmark")
        settings.prepare_home()
        session = open_session(settings)
        lakehouse = open_lakehouse(settings, lambda: session)
        grow(lakehouse, 0, size)
        return measure(lakehouse, size, times)
