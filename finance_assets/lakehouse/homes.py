"""Homes: where the tables of a lakehouse lie. The one place that chooses it from the settings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from finance_assets.lakehouse.catalog import CatalogTable
from finance_assets.lakehouse.ddl import identifier
from finance_assets.lakehouse.folder import FolderTable
from finance_assets.lakehouse.stored import Session, StoredTable
from finance_assets.settings import Settings


class Home(Protocol):
    """Where tables lie. `root` is a folder in any case: it holds what is staged."""

    @property
    def root(self) -> Path:
        """The folder of what is staged, and of tables in folders."""

    @property
    def needs_engine(self) -> bool:
        """Whether even a commit log can only be read through the engine."""

    def path(self, table: str) -> Path:
        """The folder of a table; in a catalog, of what is kept beside it."""

    def open(self, table: str, session: Session) -> StoredTable:
        """A table, whether or not it exists."""


@dataclass(frozen=True)
class FolderHome:
    """Tables in folders, `<root>/<layer>/<entity>` each."""

    root: Path
    needs_engine = False

    def path(self, table: str) -> Path:
        """The folder of a table."""
        layer, entity = table.split(".")
        return self.root / layer / entity

    def open(self, table: str, session: Session) -> StoredTable:
        """A table, whether or not it exists."""
        return FolderTable(table, self.path(table), session)


@dataclass(frozen=True)
class CatalogHome:
    """Tables of a catalog, `<catalog>.<schema_prefix><layer>.<entity>` each."""

    root: Path
    catalog: str
    schema_prefix: str = ""
    needs_engine = True

    def path(self, table: str) -> Path:
        """The folder of what is kept beside a table."""
        layer, entity = table.split(".")
        return self.root / f"{self.schema_prefix}{layer}" / entity

    def open(self, table: str, session: Session) -> StoredTable:
        """A table, whether or not it exists."""
        layer, entity = table.split(".")
        names = (self.catalog, f"{self.schema_prefix}{layer}", entity)
        return CatalogTable(table, self.path(table), identifier(*names), session)


def home_of(settings: Settings) -> Home:
    """The home that the settings name."""
    if settings.catalog:
        return CatalogHome(settings.lakehouse_root, settings.catalog, settings.schema_prefix)
    return FolderHome(settings.lakehouse_root)
