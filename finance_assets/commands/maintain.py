"""Maintain: keep the tables of a use case fast, and free of what no version needs."""

from dataclasses import dataclass
from typing import ClassVar

from finance_assets.commands.command import Command
from finance_assets.lakehouse.archive import DeliveryArchive
from finance_assets.lakehouse.maintenance import Maintained, expire_staging, maintain_table
from finance_assets.model_life.journals import tables_of
from finance_assets.step.declaration import StepContext
from finance_assets.step.use_case import UseCase


@dataclass(frozen=True)
class Maintenance:
    """What was done, table by table, the folders of staged rows that went, and the digests of the
    kept deliveries that did; or would be.
    """

    tables: tuple[Maintained, ...]
    staging: tuple[str, ...]
    deliveries: tuple[str, ...]
    is_dry_run: bool

    @property
    def problems(self) -> tuple[str, ...]:
        """What stood in the way, each with its table."""
        return tuple(f"{one.table}: {one.problem}" for one in self.tables if one.problem)


@dataclass(frozen=True)
class Maintain(Command[Maintenance]):
    """Compact, vacuum within the retention, checkpoint: every table of a use case. Staged rows and
    kept deliveries whose time is over go, whosever they are.
    """

    name: ClassVar[str] = "maintain"
    needs_models: ClassVar[bool] = False
    limit_seconds: ClassVar[int] = 14400

    is_dry_run: bool = False

    def run(self, ctx: StepContext, use_case: UseCase) -> Maintenance:
        """Table by table; those that were never made are left out."""
        found = []
        for table in tables_of(use_case):
            ctx.report(f"maintain {table}")
            found.append(maintain_table(ctx.lakehouse, table, self.is_dry_run))
        done = tuple(one for one in found if one is not None)
        staging = expire_staging(ctx.lakehouse.home.root, self.is_dry_run)
        archive, days = DeliveryArchive(ctx.settings.archive_root), ctx.settings.archive_days
        return Maintenance(done, staging, archive.expire(days, self.is_dry_run), self.is_dry_run)
