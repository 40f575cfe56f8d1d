"""Lineage: what a table's partitions are made from, and what is wrong with it, down to bronze.

Reads commit logs only; no engine is started. Following single rows is tracing.py's business.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TypeAlias

from finance_assets.calendar import Calendar, Window
from finance_assets.lakehouse.history import Delivery, Publication, TableHistory
from finance_assets.lakehouse.recent import Recent
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.step.declaration import Absent, Input, Step
from finance_assets.step.presence import PAST, absent_inputs

NEVER_PUBLISHED = "never_published"
# What is stored of a partition of a table; empty if it was never published.
Content: TypeAlias = Callable[[str, str], str]
# What was computed last for a table and a window, and from which commits of its inputs.
_made = Recent[tuple[object, dict[str, str]]]()


@dataclass(frozen=True)
class InputsRead:
    """What a run over a window reads: both are of the same moment of each table.

    `versions`: of every input table that there is, the newest version. `made_from`: for each
    partition, a digest of the content of all it is made from, as that version has it. Two runs
    over the same content have the same digest, whatever the versions. `absent`: what a run should
    find in its inputs, and does not.
    """

    versions: dict[str, int]
    made_from: dict[str, str]
    absent: tuple[Absent, ...] = ()


def read_inputs(
    lakehouse: Lakehouse, inputs: tuple[Input, ...], window: Window, *, is_run: bool = False
) -> InputsRead:
    """What a run over a window would read now; each log is read once."""
    histories = {item.key: lakehouse.history(item.key) for item in inputs}
    versions = {key: history.version for key, history in histories.items() if history.exists}
    if not inputs:
        return InputsRead(versions, {})
    # What reads all of the past has many pairs of partitions: the sensors ask again and again.
    place = lakehouse.path(inputs[0].key) / f"{window} {hash(inputs)}"
    heads = tuple(history.head for history in histories.values())
    read = inputs, window.calendar, heads
    known = _made.get(place)
    # A log that hides its files may be another table's by now.
    is_told = all(head is None or head.entry is not None for head in heads)
    if known is None or known[0] != read or not is_told:
        # Asked once of each: partitions of a range that read all of the past share most of it.
        content = cache(lambda key, upstream: _content(histories[key], upstream))
        made_from = {p: _digest(_contents(inputs, window.at(p), content)) for p in window}
        known = read, made_from
        _made.put(place, known)
    absent = absent_inputs(histories, inputs, window) if is_run else ()
    return InputsRead(versions, dict(known[1]), absent)


def data_problems(
    lakehouse: Lakehouse,
    steps: Iterable[Step],
    table: str,
    window: Window,
    calendar: Calendar | None = None,
) -> dict[str, tuple[str, ...]]:
    """What is wrong with each publication that a table's window rests on, itself included.

    Keys are `<table>[<partition>]`; a publication without problems has an empty tuple. A failed
    check counts whatever its severity, and so do partitions that were never published, are older
    than what they were made from, were changed by another writer than publish, or hold the
    delivery of another partition. Partitions outside the calendar do not exist; without one, an
    input begins with its first publication.
    """
    walk = _Walk(lakehouse, {step.key: step for step in steps}, calendar)
    for partition in window:
        walk.follow(table, window.at(partition))
    return walk.problems


@dataclass
class _Walk:
    """One walk over the lineage; each log is read once."""

    lakehouse: Lakehouse
    steps: dict[str, Step]
    calendar: Calendar | None
    problems: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _histories: dict[str, TableHistory] = field(default_factory=dict)
    _firsts: dict[str, str] = field(default_factory=dict)
    _deliveries: dict[str, dict[str, Delivery]] = field(default_factory=dict)
    _alike: dict[str, dict[tuple[str, str], list[str]]] = field(default_factory=dict)

    def follow(self, table: str, partition: Window) -> None:
        """Judge a publication and everything underneath it, without recursion."""
        open_ends = [(table, partition)]
        while open_ends:
            key, at = open_ends.pop()
            name = f"{key}[{at}]"
            if name in self.problems:
                continue
            self.problems[name] = tuple(self._judge(self.steps[key], at))
            for item in self.steps[key].inputs:
                # A table that no step makes has no publication that could be judged.
                if item.key in self.steps:
                    open_ends += [(item.key, upstream) for upstream in self._existing(item, at)]

    def history(self, table: str) -> TableHistory:
        """The log of a table, read once."""
        if table not in self._histories:
            self._histories[table] = self.lakehouse.history(table)
        return self._histories[table]

    @cached_property
    def _content(self) -> Content:
        """What is stored of a partition now, asked once of each."""
        return cache(lambda key, upstream: _content(self.history(key), upstream))

    def _existing(self, item: Input, partition: Window) -> Iterator[Window]:
        """The upstream partitions that there are, or should be."""
        if item.key not in self._firsts:
            self._firsts[item.key] = next(iter(self.history(item.key).ledgers()), "")
        first, last = self._span or (self._firsts[item.key], None)
        for upstream in item.window(partition):
            if first <= upstream and (last is None or upstream <= last):
                yield partition.at(upstream)

    @cached_property
    def _span(self) -> tuple[str, str] | None:
        """The first and the last partition of the calendar; None without a calendar."""
        if self.calendar is None:
            return None
        known = self.calendar.partitions()
        return (known[0], known[-1]) if known else ("", "")

    def _judge(self, step: Step, at: Window) -> Iterator[str]:
        history, partition = self.history(step.key), at.first
        known = history.in_force(partition)
        if known is None:
            yield NEVER_PUBLISHED
            return
        # Whether its past is there is looked up, partition by partition: it may have come since.
        yield from (c for c in known.failed_checks.get(partition, ()) if c != PAST.name)
        yield from self._stale(step, at, known)
        altered = history.altered_at(partition)
        if altered is not None:
            yield f"altered at version {altered}"
        if step.source is not None and not step.source.may_repeat:
            yield from self._repeated(step.key, partition)

    def _stale(self, step: Step, at: Window, known: Publication) -> Iterator[str]:
        """The inputs whose content is another than the publication was made from."""
        now = _contents(step.inputs, at, self._content)
        recorded = known.made_from.get(at.first)
        if recorded is not None and recorded == _digest(now):
            return

        def content_then(key: str, upstream: str) -> str:
            return _content(self.history(key), upstream, known.inputs.get(key, -1))

        then = _contents(step.inputs, at, content_then)
        moved = [name for name in now if now[name] != then[name]]
        if moved or recorded is not None:
            yield f"stale: made before {', '.join(moved) or 'its inputs'} changed"

    def _repeated(self, table: str, partition: str) -> Iterator[str]:
        """Other partitions with the same delivery: ingestions at the same time can slip through."""
        if table not in self._deliveries:
            self._deliveries[table] = self.history(table).deliveries()
            # By what two deliveries would share: of hundreds, each is compared with a few.
            alike = self._alike[table] = defaultdict(list)
            for name, delivery in self._deliveries[table].items():
                for shared in vars(delivery).items():
                    alike[shared].append(name)
        own = self._deliveries[table].get(partition)
        if own is None:
            return
        shared_by = {n for shared in vars(own).items() for n in self._alike[table][shared]}
        for other in sorted(shared_by - {partition}):
            if own.is_same(self._deliveries[table][other]):
                yield f"same delivery as {other}"


def _contents(inputs: tuple[Input, ...], partition: Window, content: Content) -> dict[str, str]:
    """What is stored of each publication that a partition reads, as `content` says it."""
    return {
        f"{item.key}[{upstream}]": content(item.key, upstream)
        for item in inputs
        for upstream in item.window(partition)
    }


def _content(history: TableHistory, partition: str, at: int | None = None) -> str:
    """Fingerprint of a partition's publication: now, or at a recorded version."""
    found = history.publication_of(partition, at=at)
    content = found.fingerprints[partition] if found else ""
    # What another writer left there is not what the publication says.
    altered = history.altered_at(partition) if at is None else None
    return content if altered is None else f"{content} altered at {altered}"


def _digest(contents: dict[str, str]) -> str:
    """Digest of what is there; what never was published is left out."""
    text = "\n".join(f"{name} {content}" for name, content in sorted(contents.items()) if content)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
