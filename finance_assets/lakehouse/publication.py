"""Publications: what each commit that publish makes says of itself, as text in the Delta log.

Reading the log belongs to history.py.
"""

import json
from collections.abc import Collection
from dataclasses import astuple, dataclass, field, replace
from functools import cache
from typing import ClassVar, TypeVar

from pydantic import ConfigDict, TypeAdapter

from finance_assets.lakehouse.stored import Identity

EXACT = ConfigDict(extra="forbid")
T = TypeVar("T")


@dataclass(frozen=True)
class Ledger:
    """What became of the rows that went into one partition, each number counted on its own.

    `is_aggregate`: the table has fewer rows than it accounts for; `published` is then the sum
    of its count column.
    """

    __pydantic_config__ = EXACT

    delivered: int
    published: int
    quarantined: int = 0
    duplicates: int = 0
    is_aggregate: bool = False

    @property
    def is_balanced(self) -> bool:
        """Whether no row was lost and none appeared from nowhere."""
        return self.delivered == self.published + self.quarantined + self.duplicates


@dataclass(frozen=True)
class Delivery:
    """The identity of what was delivered for a partition.

    `sha256` is that of the file's bytes. `rows` is a digest of the decoded rows in any order, and
    `content` the same where each mention of the partition itself is left out.
    """

    NO_ROWS: ClassVar[str] = "0:0"
    __pydantic_config__ = EXACT

    sha256: str
    rows: str
    content: str

    @property
    def is_empty(self) -> bool:
        """Whether the file came without rows."""
        return self.rows == self.NO_ROWS

    def is_same(self, other: "Delivery") -> bool:
        """Whether both are one delivery: by its bytes, its rows, or all but the partition.

        Files without rows are all alike, and each is its own.
        """
        pairs = zip(astuple(self), astuple(other), strict=True)
        return not self.is_empty and any(mine == its for mine, its in pairs)


@dataclass(frozen=True)
class Publication:
    """One commit to a table: what it replaced, its rows' fates and how it came about.

    Between `first` and `last` lie all partitions that it is about, and maybe others.

    `failed_checks` are the warnings of each partition that has any: a publication with a failed
    blocking check never exists. `inputs` maps each input table to the Delta version read.
    `made_from` holds a digest of all that each partition was made from, whatever its versions.
    `deliveries` says what each partition of an ingested table came from, `files` which
    file that was, so that nobody has to read it again; `constants` the columns that have one value
    in all rows of a partition, so that nobody has to read the rows for it. `measured_by` tells the
    expression that the fingerprints were made with: those of another cannot be compared.

    A confirmation is a publication without rows: the run found the partitions to be as they
    should be, though what they are made from, or what their checks say, is other than recorded,
    or found them empty for the first time.
    """

    __pydantic_config__ = EXACT

    table: str
    first: str
    last: str
    ledgers: dict[str, Ledger]
    fingerprints: dict[str, str]
    failed_checks: dict[str, list[str]]
    run_id: str
    code_sha: str
    inputs: dict[str, int] = field(default_factory=dict)
    made_from: dict[str, str] = field(default_factory=dict)
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    files: dict[str, Identity] = field(default_factory=dict)
    constants: dict[str, dict[str, str]] = field(default_factory=dict)
    measured_by: str = ""
    is_confirmation: bool = False
    version: int = field(default=-1)

    @property
    def partitions(self) -> tuple[str, ...]:
        """The partitions this commit replaced, or confirmed."""
        return tuple(self.ledgers)

    def only(self, partitions: Collection[str]) -> "Publication":
        """What it says of some of its partitions."""

        def of(known: dict[str, T]) -> dict[str, T]:
            return {name: value for name, value in known.items() if name in partitions}

        return replace(
            self,
            first=min(partitions),
            last=max(partitions),
            ledgers=of(self.ledgers),
            fingerprints=of(self.fingerprints),
            failed_checks=of(self.failed_checks),
            made_from=of(self.made_from),
            deliveries=of(self.deliveries),
            files=of(self.files),
            constants=of(self.constants),
        )

    def is_comparable(self, measured_by: str) -> bool:
        """Whether its fingerprints were made as others are; those of before are taken to be."""
        return self.measured_by in ("", measured_by)

    def says(self, partition: str) -> tuple[object, ...]:
        """What a run says of a partition beside its rows; it is confirmed when this differs."""
        failed = tuple(self.failed_checks.get(partition, ()))
        return self.made_from.get(partition), failed, self.deliveries.get(partition)

    def to_json(self) -> str:
        """The text that rides in the Delta commit."""
        record = _adapter().dump_python(self, mode="json", exclude={"version"})
        return json.dumps(record, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, version: int) -> "Publication":
        """Read a publication back from the commit that carries it.

        Fields that are younger than the text have their defaults. A text with fields that are
        younger than this code is refused: what they change of its meaning is not known here.

        Raises:
            ValueError: the text is none of ours.
        """
        found = _adapter().validate_json(text, strict=True)
        return replace(found, version=version)


@cache
def _adapter() -> TypeAdapter[Publication]:
    return TypeAdapter(Publication)
