"""Tracing: from a prediction back to its model, its features and the delivered lines.

Reads commit logs, single rows and kept deliveries only; no engine is started. Every table is read
at the version that the publication downstream of it recorded as its input, and every line in the
very file that this version was ingested from.
"""

from dataclasses import dataclass, field

from finance_assets.errors import DeliveryError, HistoryError
from finance_assets.lakehouse.archive import DeliveryArchive
from finance_assets.lakehouse.history import Delivery, Publication, TableHistory
from finance_assets.lakehouse.sources.source import Source
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.lakehouse.stored import Row
from finance_assets.model_life.chain import read_history
from finance_assets.model_life.champion_history import ChampionEvent
from finance_assets.model_life.contracts import prediction_contract
from finance_assets.step.arguments import matches, require_key, require_partition
from finance_assets.step.declaration import Step
from finance_assets.step.use_case import UseCase


@dataclass(frozen=True)
class DeliveredLine:
    """A row's line as it stands in the kept file, or why it cannot be shown."""

    file: str
    line: int
    text: str | None
    problem: str


@dataclass(frozen=True)
class TracedTable:
    """A partition on the way: which version wrote it, which run, and the rows of the key.

    `sha256` and `delivered` are those of an ingested partition.
    """

    table: str
    partition: str
    version: int
    run_id: str
    code_sha: str
    rows: tuple[Row, ...]
    is_delivery: bool
    sha256: str = ""
    delivered: tuple[DeliveredLine, ...] = ()


@dataclass(frozen=True)
class Trace:
    """A prediction, the events that put its model in force, and the tables it rests on."""

    prediction: Row
    events: tuple[ChampionEvent, ...]
    tables: tuple[TracedTable, ...]


def trace(
    lakehouse: Lakehouse,
    archive: DeliveryArchive,
    use_case: UseCase,
    key: list[str],
    partition: str,
) -> Trace:
    """Follow one prediction back to the delivered lines it rests on; `key` is `column=value`.

    Raises:
        SettingsError: the partition is not the calendar's, or the key not the table's.
        HistoryError: there is no such prediction.
    """
    contract = prediction_contract(use_case.model)
    require_partition(use_case.calendar, partition, "--partition")
    sought = require_key(contract, key)
    condition = f"{contract.partition_column} = '{partition}' AND {matches(contract, sought)}"
    found = lakehouse.history(contract.table).rows(where=condition)
    if not found:
        raise HistoryError(
            "there is no such prediction",
            where=f"{contract.table}, {partition}, {sought}",
            remedy="see `finance-assets status` for the partitions that were scored, and "
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
    way = _Way(lakehouse, archive, use_case, sought)
    way.follow(use_case.step(use_case.model.features.table), partition, version)
    return Trace(prediction, events, tuple(way.found.values()))


@dataclass
class _Way:
    """The way back from one table's partition, for one key."""

    lakehouse: Lakehouse
    archive: DeliveryArchive
    use_case: UseCase
    key: dict[str, str]
    found: dict[tuple[str, str, int], TracedTable] = field(default_factory=dict)
    _histories: dict[str, TableHistory] = field(default_factory=dict)

    def follow(self, step: Step, partition: str, version: int) -> None:
        """Note the table's partition as of the version, then follow whatever it was made from."""
        history = self._histories.setdefault(step.key, self.lakehouse.history(step.key))
        written = history.publication_of(partition, at=version)
        if written is None or (step.key, partition, version) in self.found:
            return
        self.found[step.key, partition, version] = self._traced(
            step, history, written, partition, version
        )
        for item in step.inputs:
            if item.key in written.inputs:
                source, at = self.use_case.step(item.key), written.inputs[item.key]
                for upstream in item.window(self.use_case.calendar.window(partition)):
                    self.follow(source, upstream, at)

    def _traced(
        self,
        step: Step,
        history: TableHistory,
        written: Publication,
        partition: str,
        version: int,
    ) -> TracedTable:
        column = step.contract.partition_column
        condition = f"{column} = '{partition}' AND {matches(step.contract, self.key)}"
        rows = tuple(history.rows(where=condition, version=version))
        sha256, delivered = "", tuple[DeliveredLine, ...]()
        if step.source is not None:
            files = history.deliveries_of(written, partition)
            sha256, delivered = show_lines(self.archive, step.source, files, rows)
        return TracedTable(
            step.key,
            partition,
            written.version,
            written.run_id,
            written.code_sha,
            rows,
            step.source is not None,
            sha256,
            delivered,
        )


def show_lines(
    archive: DeliveryArchive,
    source: Source,
    files: list[Delivery],
    rows: tuple[Row, ...],
) -> tuple[str, tuple[DeliveredLine, ...]]:
    """The lines of ingested rows in the first of these files that is there; with its digest."""
    problem, sha256, lines = "no digest of the delivery was recorded", "", {}
    for delivery in files:
        sha256, problem = delivery.sha256, archive.problem(delivery.sha256)
        if problem:
            continue
        try:
            wanted = {int(str(row["_source_line"])) for row in rows}
            lines = source.format.texts(source, archive.place(sha256), wanted)
        except (DeliveryError, OSError, EOFError) as error:
            problem = f"the kept file cannot be read: {error}"
            continue
        break
    return sha256, tuple(_line(source, row, lines, problem) for row in rows)


def _line(source: Source, row: Row, lines: dict[int, str], problem: str) -> DeliveredLine:
    """A row's line, which must say what the row says."""
    number = int(str(row["_source_line"]))
    text = lines.get(number)
    if not problem and (text is None or not source.format.shows(source, text, row)):
        problem = "the line in the kept file is not the stored row"
    return DeliveredLine(str(row["_source_file"]), number, text, problem)
