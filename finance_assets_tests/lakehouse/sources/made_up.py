"""Sources made up for a test: their files, and the two steps that take them to silver."""

import gzip
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from finance_assets.lakehouse.contract import Column, Contract
from finance_assets.lakehouse.sources.bronze import bronze_contract
from finance_assets.lakehouse.sources.source import Source
from finance_assets.settings import Settings
from finance_assets.step.declaration import Step
from finance_assets.steps.ingest import deliveries_folder, ingest_step
from finance_assets.steps.table import refine_step

NAME = "made_up"
NOWHERE = Path("/nowhere")


@dataclass(frozen=True)
class Refined:
    """A source with its bronze and silver tables; every silver column is nullable but the key."""

    source: Source
    types: dict[str, str]
    key: tuple[str, ...]
    entity: str = "things"
    max_quarantine_share: float = 1.0
    more: dict = field(default_factory=dict)

    @property
    def bronze(self) -> Contract:
        return bronze_contract(self.source, f"bronze.{self.entity}_delivered", "As it came.")

    @property
    def silver(self) -> Contract:
        columns = (
            *(Column(n, t, n, is_nullable=n not in self.key) for n, t in self.types.items()),
            Column("delivered_for", "string", "Partition"),
        )
        return Contract(
            table=f"silver.{self.entity}",
            description="Typed.",
            columns=columns,
            key=(*self.key, "delivered_for"),
            partition_column="delivered_for",
            has_quarantine=True,
            max_quarantine_share=self.max_quarantine_share,
            **self.more,
        )

    @property
    def steps(self) -> tuple[Step, Step]:
        return (
            ingest_step(NAME, self.source, self.bronze, NOWHERE),
            refine_step(NAME, self.bronze, self.silver),
        )

    def run(self, runner, first: str, last: str | None = None):
        """Both steps over a window; what the second one gives back."""
        ingest, refine = self.steps
        runner.run(ingest.key, first, last, step=ingest)
        return runner.run(refine.key, first, last, step=refine)

    def path(self, settings: Settings, partition: str) -> Path:
        path = self.source.path(deliveries_folder(settings, NAME, NOWHERE), partition)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def deliver(self, settings: Settings, partition: str, content: bytes | str) -> Path:
        """A file with this content, packed as its name says."""
        path = self.path(settings, partition)
        content = content.encode() if isinstance(content, str) else content
        path.write_bytes(packed(path.name, content))
        return path


def packed(name: str, content: bytes) -> bytes:
    """The content as the name's extension promises it."""
    if name.endswith(".gz"):
        return gzip.compress(content)
    if name.endswith(".zst"):
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            stream.write(content)
        return sink.getvalue().to_pybytes()
    return content


def parquet(**columns) -> bytes:
    """Columns as the bytes of a Parquet file, in small row groups."""
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, row_group_size=2)
    return sink.getvalue().to_pybytes()
