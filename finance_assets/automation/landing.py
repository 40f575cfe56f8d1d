"""Landing: what was delivered and is not in the tables yet, and what follows from what is.

Facts come from the landing folder and the tables' commit logs; no engine is started. What is
remembered between two looks is only what makes the next one cheaper.
"""

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from finance_assets.automation.made import what_is_lost, why_not_made
from finance_assets.automation.work import Pending
from finance_assets.lakehouse.archive import sha256_of
from finance_assets.lakehouse.history import TableHistory
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.lakehouse.stored import Identity, identity_of
from finance_assets.settings import Settings
from finance_assets.step.coming import steps_that_can_run
from finance_assets.step.declaration import Step
from finance_assets.step.lineage import read_inputs
from finance_assets.step.use_case import UseCase
from finance_assets.steps.ingest import deliveries_folder

# What a file that is still being written has instead of a digest.
ARRIVING = "arriving"


@dataclass
class Files:
    """Digests of delivered files; each is read once, and when it changed.

    A file is taken for whole once two looks found it with the same size and times.
    """

    _seen: dict[Path, tuple[Identity, str]] = field(default_factory=dict)

    def digest(self, path: Path, stored: tuple[Identity, str] | None = None) -> str | None:
        """sha256 of a file's bytes, `ARRIVING`, or None where there is none.

        `stored`: the file that the tables were made from, and its digest. If that is the one that
        lies there, it is not opened.
        """
        try:
            now = identity_of(path.stat())
            seen, known = self._seen.get(path) or stored or (None, ARRIVING)
            if seen != now:
                known = ARRIVING
            elif known == ARRIVING:
                known = sha256_of(path)
        except FileNotFoundError:
            self._seen.pop(path, None)
            return None
        self._seen[path] = (now, known)
        return known


@dataclass(frozen=True)
class Landing:
    """One look at a use case's deliveries and tables."""

    use_case: UseCase
    lakehouse: Lakehouse
    settings: Settings
    files: Files
    _histories: dict[str, TableHistory] = field(default_factory=dict)

    def pending(self) -> list[Pending]:
        """The partitions that are not what they would be if their pipeline ran now."""
        found = (self._pending(p) for p in self.use_case.calendar.partitions())
        return [one for one in found if one is not None]

    def is_stored(self, run_id: str, partition: str) -> bool:
        """Whether the tables hold anything that a run made of a partition."""
        for step in self.use_case.pipeline_steps:
            history = self._history(step.key)
            newest = history.in_force(partition)
            publications = [*history.publications, *([newest] if newest else [])]
            if any(p.run_id == run_id for p in publications):
                return True
        return False

    def _pending(self, partition: str) -> Pending | None:
        arrived, arriving, digests, missing = [], [], {}, []
        for step in self._ingests:
            assert step.source is not None
            folder = deliveries_folder(self.settings, self.use_case.name, self.use_case.samples)
            path = step.source.path(folder, partition)
            stored, file = self._delivered[step.key].get(partition), self._files[step.key]
            known = (file[partition], stored) if stored and partition in file else None
            digest = self.files.digest(path, known)
            if digest == ARRIVING:
                arriving.append(path.name)
            elif digest is not None:
                digests[step.key] = digest
                if digest != stored:
                    arrived.append(f"{path.name} {'was corrected' if stored else 'has landed'}")
            elif step.source.is_expected(partition) and stored is None:
                missing.append(path.name)
        # All are looked at first, so that a partition of many files is whole after two looks, too.
        if arriving:
            return Pending(partition, (), "", f"{arriving[0]} is still arriving")
        if not arrived and missing:
            return None
        come = {*digests, *(k for k, known in self._delivered.items() if partition in known)}
        running = steps_that_can_run(self.use_case, partition, lambda step: step.key in come)
        steps = tuple(step.key for step in running)
        changed = () if arrived else tuple(self._changed(partition, steps))
        if not arrived and not changed:
            return None
        waits = f"waiting for {', '.join(missing)}" if missing else ""
        cause = self._cause(partition, digests)
        is_all = running == self.use_case.pipeline_steps
        return Pending(partition, (*arrived, *changed), cause, waits, () if is_all else steps)

    def _changed(self, partition: str, steps: Collection[str]) -> Iterator[str]:
        """Why steps have to run for a delivered partition: they never did, or on other inputs, or
        what they wrote is not there any more.
        """
        for step in self._followers:
            if step.key in steps:
                now = self._made_from[step.key][partition]
                why = why_not_made(self.use_case, step, partition, now, self._history)
                if why:
                    yield why

    def _cause(self, partition: str, digests: dict[str, str]) -> str:
        """A digest of the deliveries, of what is read of other partitions, and of what was lost.

        A delivery that another partition holds is refused until that one is corrected: so which
        others were corrected is part of it.
        """
        read: dict[str, str] = dict(digests)
        for key, times in self._corrected.items():
            read |= {f"{key}[{p}] corrected": str(n) for p, n in times.items() if p != partition}
        at = self.use_case.calendar.window(partition)
        for step in self._followers:
            lost = what_is_lost(self.use_case, step, partition, self._history)
            read |= dict.fromkeys(lost, "lost")
            for item in step.inputs:
                for other in item.window(at):
                    found = self._history(item.key).publication_of(other)
                    if other != partition and found is not None:
                        read[f"{item.key}[{other}]"] = found.fingerprints[other]
        return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()[:16]

    @cached_property
    def _ingests(self) -> tuple[Step, ...]:
        return tuple(step for step in self.use_case.steps if step.source is not None)

    @cached_property
    def _followers(self) -> tuple[Step, ...]:
        """The steps that rest on the pipeline's own tables alone, not on who is champion."""
        own = {step.key for step in self.use_case.pipeline_steps}
        return tuple(
            step
            for step in self.use_case.pipeline_steps
            if step.inputs and {item.key for item in step.inputs} <= own
        )

    @cached_property
    def _made_from(self) -> dict[str, dict[str, str]]:
        """What each partition of these steps would be made from now."""
        partitions = self.use_case.calendar.partitions()
        window = self.use_case.calendar.window(partitions[0], partitions[-1])
        return {
            step.key: read_inputs(self.lakehouse, step.inputs, window).made_from
            for step in self._followers
        }

    @cached_property
    def _delivered(self) -> dict[str, dict[str, str]]:
        """sha256 of what each partition was ingested from, by table."""
        found = {step.key: self._history(step.key).deliveries() for step in self._ingests}
        return {key: {p: d.sha256 for p, d in known.items()} for key, known in found.items()}

    @cached_property
    def _corrected(self) -> dict[str, dict[str, int]]:
        """How often partitions were delivered anew, of each table whose deliveries must differ."""
        sources = {step.key: step.source for step in self._ingests}
        return {
            key: self._history(key).corrections()
            for key, source in sources.items()
            if source is not None and not source.may_repeat
        }

    @cached_property
    def _files(self) -> dict[str, dict[str, Identity]]:
        """Which file that was, where it was recorded."""
        return {step.key: self._history(step.key).delivered_files() for step in self._ingests}

    def _history(self, table: str) -> TableHistory:
        if table not in self._histories:
            self._histories[table] = self.lakehouse.history(table)
        return self._histories[table]
