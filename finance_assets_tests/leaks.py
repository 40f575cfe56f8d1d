"""The leak test of any use case: change everything that lies in the future, and compare bytes."""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from finance_assets.step.declaration import Kind
from finance_assets_tests.running import UseCaseRunner


@dataclass(frozen=True)
class Made:
    """What a home holds, as bytes by table: up to a partition, and after it."""

    before: dict[str, bytes]
    after: dict[str, bytes]


def require_no_leak(make: Callable[[bool], UseCaseRunner], *, as_of: str, through: str) -> None:
    """Nothing up to a partition changes by a byte when all that comes later changes.

    Tables are made for the whole calendar before the model is trained as of `as_of` and scores what
    comes after, up to `through`: whatever could look ahead has something to look at.

    Args:
        make: a runner in a home of its own, with the deliveries of the whole calendar; those of
            partitions after `through` are others when it is given True.
        as_of: when the model is trained; a candidate of then has to become champion.
        through: the last partition whose deliveries are the same.
    """
    made, changed = (_run(make(is_changed), as_of, through) for is_changed in (False, True))
    for name, content in made.before.items():
        assert changed.before[name] == content, f"{name} up to {through} knows what came later"
    same = [name for name, content in made.after.items() if changed.after[name] == content]
    assert not same, f"the change did not arrive in {same}: the test proves nothing of these"


def _run(runner: UseCaseRunner, as_of: str, through: str) -> Made:
    calendar = runner.use_case.calendar
    partitions = calendar.partitions()
    runner.run_tables(partitions[0], partitions[-1])
    runner.run_model(as_of)
    runner.run_scoring(calendar.shift(as_of, 1), through)
    tables = [step.key for step in runner.use_case.steps if step.kind.is_table]
    predictions = runner.key(Kind.scoring)
    before = {key: _content(runner, key, lambda p: p <= through) for key in (*tables, predictions)}
    assert before[predictions], "no champion scored anything: the test proves nothing of it"
    [candidate] = runner.rows(runner.key(Kind.training))
    before["the model's text"] = candidate["artifact_sha256"].encode()
    # What comes of the very next deliveries alone need not differ, but the last ones' do.
    last = [runner.use_case.model.features.table, runner.use_case.model.labels.table]
    return Made(before, {key: _content(runner, key, lambda p: p > through) for key in last})


def _content(runner: UseCaseRunner, table: str, wanted: Callable[[str], bool]) -> bytes:
    """The stored values of a table's partitions, in the order of its key; nothing for no rows."""
    contract = runner.use_case.step(table).contract
    rows = runner.rows(table, lambda row: wanted(row[contract.partition_column]))
    if not rows:
        return b""
    ordered = sorted(rows, key=lambda row: [row[name] for name in contract.key])
    values = pa.Table.from_pylist([{n: r[n] for n in contract.stable_columns} for r in ordered])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, values.schema) as writer:
        writer.write_table(values)
    return sink.getvalue().to_pybytes()
