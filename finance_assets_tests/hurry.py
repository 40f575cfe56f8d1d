"""Hurry: what the process of tests spares itself in each home. What it starts does as a user's does."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from finance_assets import settings as settings_module


def _unsynced(connection: object, _: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


@contextmanager
def unsynced() -> Iterator[None]:
    """Files of SQLite need not survive a crash of the machine: no commit waits for the disk."""
    event.listen(Engine, "connect", _unsynced)
    try:
        yield
    finally:
        event.remove(Engine, "connect", _unsynced)


@contextmanager
def synced() -> Iterator[None]:
    """Within the other, as users have it."""
    event.remove(Engine, "connect", _unsynced)
    try:
        yield
    finally:
        event.listen(Engine, "connect", _unsynced)


def by_place(asked: Callable[[], str | None]) -> Callable[[], str | None]:
    """Ask for the commit once for each place that the settings' module may lie in."""
    known: dict[str, str | None] = {}

    def answer() -> str | None:
        place = settings_module.__file__
        if place not in known:
            known[place] = asked()
        return known[place]

    return answer


@contextmanager
def one_commit() -> Iterator[None]:
    """Git is asked for the commit once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings_module, "_git_sha", by_place(settings_module._git_sha))
        yield


@contextmanager
def one_revision() -> Iterator[None]:
    """MLflow looks once which revision is its newest: it runs 69 scripts to know it."""
    from mlflow.store.db import utils

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            utils, "_get_latest_schema_revision", cache(utils._get_latest_schema_revision)
        )
        yield
