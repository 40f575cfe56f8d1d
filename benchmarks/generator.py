"""Deliveries of credit_default at any size: real accounts drawn again, under new numbers.

An account is drawn with all its months, so that what depends on what stays as it is: limits and
balances, a status and the one before it, a status and the default that follows. Its amounts are
scaled by a few percent, the same in every month. What the shipped files have of dirt is drawn
along: undocumented codes, credits, gaps. More dirt, for the quarantine, is declared by its share.

The same seed gives the same bytes. Memory is bounded by a block of accounts.
"""

import gzip
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from finance_assets.use_cases.credit_default.tables.statements import STATEMENTS
from finance_assets.use_cases.credit_default.use_case import CALENDAR, SAMPLES

SOURCE = STATEMENTS.full_source
MONTHS = tuple(CALENDAR.partitions())
BLOCK = 200_000  # accounts
JITTER = 0.03  # standard deviation of the logarithm of an account's factor
AMOUNTS = ("bill_ntd", "payment_ntd")


@dataclass(frozen=True)
class Dirt:
    """Shares of the rows that are bad, beside the dirt that the shipped files have.

    `copies` stand twice; `conflicts` too, the second time with another payment; `unreadable` have a
    balance that is no number; `impossible` have a holder of five years.
    """

    copies: float = 0.0
    conflicts: float = 0.0
    unreadable: float = 0.0
    impossible: float = 0.0


CLEAN = Dirt()
DIRTY = Dirt(copies=0.001, conflicts=0.0005, unreadable=0.001, impossible=0.001)


def accounts_for(rows: int) -> int:
    """How many accounts have so many account-months."""
    return max(1, rows // len(MONTHS))


def generate(folder: Path, rows: int, seed: int = 1, dirt: Dirt = DIRTY) -> Path:
    """Write the deliveries of every month, of about `rows` account-months; the folder.

    A file that is whole has its name only at the end, so that a folder with all of them is whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sample = _shipped()
    with ExitStack() as open_files:
        paths = [SOURCE.path(folder, month) for month in MONTHS]
        parts = [path.with_name(f"{path.name}.part") for path in paths]
        raw = [open_files.enter_context(part.open("wb")) for part in parts]
        # Without name and time in it, so that equal rows are equal bytes.
        streams = [
            open_files.enter_context(gzip.GzipFile("", "wb", 1, file, mtime=0)) for file in raw
        ]
        for stream in streams:
            stream.write((",".join(SOURCE.header) + "\n").encode())
        for start, count in _blocks(accounts_for(rows)):
            for stream, table in zip(
                streams, _block(sample, seed, start, count, dirt), strict=True
            ):
                _write(stream, table)
    for part, path in zip(parts, paths, strict=True):
        part.rename(path)
    return folder


def _blocks(accounts: int) -> Iterator[tuple[int, int]]:
    for start in range(0, accounts, BLOCK):
        yield start, min(BLOCK, accounts - start)


def _shipped() -> list[pa.Table]:
    """The shipped deliveries; row i of each is the same account."""
    return [arrow_csv.read_csv(str(SOURCE.path(SAMPLES, month))) for month in MONTHS]


def _block(
    sample: list[pa.Table], seed: int, start: int, count: int, dirt: Dirt
) -> Iterator[pa.Table]:
    """The rows of some accounts, a table for each month."""
    random = np.random.default_rng([seed, start])
    drawn = random.integers(0, sample[0].num_rows, count)
    factors = {name: np.exp(random.normal(0.0, JITTER, count)) for name in AMOUNTS}
    # The numbers of new accounts follow those of the ones before.
    numbers = np.arange(start + 1, start + count + 1)
    for month in sample:
        table = month.take(pa.array(drawn)).set_column(0, "account_id", pa.array(numbers))
        for name, factor in factors.items():
            amounts = np.rint(table[name].to_numpy() * factor).astype(np.int64)
            table = _with(table, name, pa.array(amounts))
        yield _dirtied(table, random, dirt)


def _dirtied(table: pa.Table, random: np.random.Generator, dirt: Dirt) -> pa.Table:
    """The table with the declared share of bad rows, as text; what repeats stands at its end."""
    text = table.cast(pa.schema([(name, pa.string()) for name in table.column_names]))
    order = random.permutation(table.num_rows)
    sizes = [
        round(share * table.num_rows)
        for share in (dirt.copies, dirt.conflicts, dirt.unreadable, dirt.impossible)
    ]
    copies, conflicts, unreadable, impossible = _cut(order, sizes)
    text = _replaced(text, "bill_ntd", unreadable, "n/a")
    text = _replaced(text, "age_years", impossible, "5")
    second = text.take(pa.array(conflicts))
    paid = pc.add(pc.cast(second["payment_ntd"], pa.int64()), 1)
    second = _with(second, "payment_ntd", pc.cast(paid, pa.string()))
    return pa.concat_tables([text, text.take(pa.array(copies)), second])


def _cut(order: NDArray[np.int64], sizes: list[int]) -> list[NDArray[np.int64]]:
    """Disjoint parts of these sizes, each in the order of the file."""
    parts = np.split(order[: sum(sizes)], np.cumsum(sizes)[:-1])
    return [np.sort(part) for part in parts]


def _replaced(table: pa.Table, name: str, rows: NDArray[np.int64], value: str) -> pa.Table:
    mask = np.zeros(table.num_rows, dtype=np.bool_)
    mask[rows] = True
    return _with(table, name, pc.if_else(pa.array(mask), value, table[name]))


def _with(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


def _write(stream: gzip.GzipFile, table: pa.Table) -> None:
    options = arrow_csv.WriteOptions(include_header=False, quoting_style="none")
    sink = pa.BufferOutputStream()
    arrow_csv.write_csv(table.select(SOURCE.header), sink, options)
    stream.write(sink.getvalue())
