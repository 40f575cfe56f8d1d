"""Tracing: from a prediction back to its model, its features and the delivered lines.

Reads commit logs and single rows only; no engine is started. Every table is read at the version
that the publication downstream of it recorded as its input.
"""

from dataclasses import dataclass
from typing import Any

from finance_assets.errors import HistoryError
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.lakehouse.windows import Window
from finance_assets.steps.champion_history import ChampionEvent, read_history
from finance_assets.steps.model_contracts import prediction_contract
from finance_assets.steps.step import Kind, Step
from finance_assets.steps.use_case import UseCase


@dataclass(frozen=True)
class TracedTable:
    """A partition on the way: which version wrote it, which run, and the rows of the key."""

    table: str
    partition: str
    version: int
    run_id: str
    code_sha: str
    rows: tuple[dict[str, Any], ...]
    is_delivery: bool

    @property
    def lines(self) -> list[str]:
        """`file:line` of each delivered row."""
        return [f"{row['_source_file']}:{row['_source_line']}" for row in self.rows]


@dataclass(frozen=True)
class Trace:
    """A prediction, the events that put its model in force, and the tables it rests on."""

    prediction: dict[str, Any]
    events: tuple[ChampionEvent, ...]
    tables: tuple[TracedTable, ...]


def trace(lakehouse: Lakehouse, use_case: UseCase, key: dict[str, str], partition: str) -> Trace:
    """Follow one prediction back to the delivered lines it rests on.

    Raises:
        HistoryError: the key is not the table's, or there is no such prediction.
    """
    contract = prediction_contract(use_case.model)
    wanted = {name for name in contract.key if name != contract.partition_column}
    if set(key) != wanted:
        raise HistoryError(
            f"--key names {sorted(key)}, the predictions have {sorted(wanted)}",
            where=contract.table,
            remedy=" ".join(f"--key {name}=…" for name in sorted(wanted)),
        )
    condition = f"{contract.partition_column} = '{partition}' AND {_matches(contract, key)}"
    found = lakehouse.history(contract.table).rows(where=condition)
    if not found:
        raise HistoryError(
            "there is no such prediction",
            where=f"{contract.table}, {partition}, {key}",
            remedy="see `finance-assets status` for the months that were scored, and "
            f"{use_case.model.features.table} for the keys",
        )
    prediction = found[0]
    version = int(str(prediction["data_version"]).split("@")[1])
    events = tuple(
        event
        for event in read_history(lakehouse, use_case.name).trusted().events
        if (event.model_version, event.model_sha256)
        == (prediction["model_version"], prediction["model_sha256"])
    )
    step = use_case.step(use_case.model.features.table)
    tables: dict[tuple[str, str, int], TracedTable] = {}
    _follow(lakehouse, use_case, step, partition, version, key, tables)
    return Trace(prediction, events, tuple(tables.values()))


def _follow(
    lakehouse: Lakehouse,
    use_case: UseCase,
    step: Step,
    partition: str,
    version: int,
    key: dict[str, str],
    found: dict[tuple[str, str, int], TracedTable],
) -> None:
    """Note the table's partition as of the version, then follow whatever it was made from."""
    contract, history = step.contract, lakehouse.history(step.key)
    written = history.publication_of(partition, at=version)
    if written is None or (step.key, partition, version) in found:
        return
    condition = f"{contract.partition_column} = '{partition}' AND {_matches(contract, key)}"
    found[step.key, partition, version] = TracedTable(
        step.key,
        partition,
        written.version,
        written.run_id,
        written.code_sha,
        tuple(history.rows(where=condition, version=version)),
        step.kind is Kind.ingest,
    )
    for item in step.inputs:
        if item.key in written.inputs:
            source, at = use_case.step(item.key), written.inputs[item.key]
            for upstream in item.window(Window(partition, partition)):
                _follow(lakehouse, use_case, source, upstream, at, key, found)


def _matches(contract: Contract, key: dict[str, str]) -> str:
    """SQL condition for the key's columns; text as delivered is read as a number if one is sought.

    `' 0123'` as delivered is account 123 in silver, and must be found as such.
    """
    types = {column.name: column.type for column in contract.columns}
    parts = []
    for name, value in key.items():
        quoted = value.replace("'", "''")
        if types[name] == "string" and value.lstrip("+-").isdigit():
            parts.append(f"try_cast(trim({name}) AS BIGINT) = {int(value)}")
        elif types[name] == "string":
            parts.append(f"trim({name}) = '{quoted}'")
        else:
            parts.append(f"{name} = {int(value)}")
    return " AND ".join(parts)
