"""Dagster's event log in SQLite, with connections that stay open and batches in one transaction.

The default storage opens a database for every event and commits each one to the disk: that was
a third of a local run. A home's dagster.yaml names `LocalInstance`; with a `storage` in it, such
as PostgreSQL, that is used instead.
"""

import os
import uuid
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import RLock
from typing import Any

import dagster as dg
import yaml
from dagster._core.events import DagsterEventBatchMetadata
from dagster._core.events.log import EventLogEntry
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.sqlite import create_db_conn_string
from dagster._core.storage.sqlite_storage import (
    DagsterSqliteStorage,
    _event_logs_directory,
    _runs_directory,
)
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

from finance_assets.compute.alive import hold, let_go
from finance_assets.settings import Compute, get_settings

ENDED = {
    dg.DagsterEventType.RUN_SUCCESS,
    dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterEventType.RUN_CANCELED,
}
# Each run has a file of its own; so many stay open, the index among them.
OPEN_FILES = 8
BUSY_SECONDS = 60


class PooledSqliteEventLogStorage(SqliteEventLogStorage):
    """The same files as Dagster's own storage writes, which can read and go on with them.

    A batch of events (DAGSTER_EVENT_BATCH_SIZE) is one transaction in each file.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[tuple[int, str], Engine] = OrderedDict()
        self._tables: set[str] = set()
        self._held: dict[str, Connection] = {}
        self._empty_file: bytes | None = None
        super().__init__(base_dir, inst_data)
        # A batch holds it while its single events take it again.
        self._db_lock = RLock()  # type: ignore[assignment]

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table; asked at every event, so a yes is remembered."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events of one run or several: all of them, or none."""
        shards = [*dict.fromkeys(entry.run_id for entry in events), INDEX_SHARD_NAME]
        with self._db_lock, ExitStack() as stack:
            for shard in shards:
                self._held[shard] = stack.enter_context(self._connect(shard))
            stack.callback(self._held.clear)
            for entry in events:
                self.store_event(entry)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            held = self._held.get(shard)
            if held is not None:
                yield held
                return
            with self._engine(shard).begin() as connection:
                yield connection

    def _engine(self, shard: str) -> Engine:
        """The engine of a run's file; a connection must not outlive a fork."""
        key = (os.getpid(), shard)
        engine = self._engines.pop(key, None)
        if engine is None:
            self._begin_file(shard)
            engine = _engine_of(self.conn_string_for_shard(shard))
            if shard not in self._initialized_dbs:
                self._initdb(engine, for_index_shard=shard == INDEX_SHARD_NAME)
                self._initialized_dbs.add(shard)
        self._engines[key] = engine
        while len(self._engines) > OPEN_FILES:
            oldest = next(key for key in self._engines if key[1] != INDEX_SHARD_NAME)
            self._engines.pop(oldest).dispose(close=oldest[0] == os.getpid())
        return engine

    def _begin_file(self, shard: str) -> None:
        """Begin a run's file as a copy of an empty one: to migrate each anew takes longer than to
        write what most runs have to say.
        """
        place = Path(self.path_for_shard(shard))
        if shard == INDEX_SHARD_NAME or place.exists():
            return
        if self._empty_file is None:
            with TemporaryDirectory() as folder:
                made = Path(folder, "empty.db")
                engine = _engine_of(f"sqlite:///{made}")
                self._initdb(engine)
                engine.dispose()
                self._empty_file = made.read_bytes()
        # Under another name first: nobody sees half a file, or takes it from somebody who was
        # faster.
        part = place.with_name(f".{uuid.uuid4().hex}.part")
        part.write_bytes(self._empty_file)
        # Where there are no links Dagster makes the file.
        with suppress(OSError):
            os.link(part, place)
            self._initialized_dbs.add(shard)
        part.unlink()

    def wipe(self) -> None:
        """Delete every file."""
        self._close()
        self._tables.clear()
        super().wipe()

    def dispose(self) -> None:
        """Close the files."""
        self._close()
        super().dispose()

    def _close(self) -> None:
        while self._engines:
            (pid, _), engine = self._engines.popitem()
            engine.dispose(close=pid == os.getpid())


class PatientSqliteRunStorage(SqliteRunStorage):
    """Dagster's own, whose file stays open, and which waits for other writers as the log does."""

    def __init__(self, conn_string: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._opened: dict[int, Engine] = {}
        self._lock, self._held = RLock(), list[Connection]()
        super().__init__(conn_string, inst_data)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """The connection, for one transaction; it must not outlive a fork."""
        with self._lock:
            if self._held:
                yield self._held[-1]
                return
            engine = self._opened.get(os.getpid())
            if engine is None:
                engine = self._opened[os.getpid()] = _engine_of(self._conn_string)
            with engine.begin() as connection:
                self._held.append(connection)
                try:
                    yield connection
                finally:
                    self._held.clear()

    def dispose(self) -> None:
        """Close the file."""
        for pid, engine in self._opened.items():
            engine.dispose(close=pid == os.getpid())
        self._opened.clear()
        super().dispose()


class PooledSqliteStorage(DagsterSqliteStorage):
    """Dagster's storage in SQLite, with the pooled event log."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        made = create_db_conn_string(_runs_directory(base_dir), "runs")
        self._run_storage = PatientSqliteRunStorage(made)
        self._event_log_storage = PooledSqliteEventLogStorage(_event_logs_directory(base_dir))

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData | None, config_value: dict[str, str]
    ) -> "PooledSqliteStorage":
        """The storage of an instance."""
        return cls(config_value["base_dir"], inst_data)


class LocalInstance(dg.DagsterInstance):
    """An instance whose storage is the pooled one unless its dagster.yaml names another, and whose
    runs are known to be alive from the moment on at which they are called started.

    Only an instance's class is told where its dagster.yaml lies: a path written into that file
    would lead a copied home to the log of the first.
    """

    def handle_new_event(
        self, event: EventLogEntry, *, batch_metadata: DagsterEventBatchMetadata | None = None
    ) -> None:
        """Store an event. Who says that a run starts is the process that works on it."""
        settings, kind = get_settings(), event.dagster_event_type
        is_here = settings.compute is Compute.local
        if is_here and kind is dg.DagsterEventType.RUN_START:
            hold(settings, event.run_id)
        super().handle_new_event(event, batch_metadata=batch_metadata)
        if kind in ENDED:
            let_go(settings, event.run_id)

    @classmethod
    def config_schema(cls) -> dict[str, Any]:
        """Nothing beside what every instance has."""
        return {}

    @classmethod
    def config_defaults(cls, base_dir: str) -> dict[str, ConfigurableClassData | None]:
        """Dagster's defaults, and our storage."""
        storage = ConfigurableClassData(
            PooledSqliteStorage.__module__,
            PooledSqliteStorage.__name__,
            yaml.dump({"base_dir": base_dir}),
        )
        return {**InstanceRef.config_defaults(base_dir), "storage": storage}


def _engine_of(address: str) -> Engine:
    """One connection, which the storage's lock hands from thread to thread."""
    engine = create_engine(
        address,
        poolclass=StaticPool,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        # With a write-ahead log this keeps the file sound through a crash of the machine, which
        # may cost the last events; a crash of the process costs none.
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine
