"""A profile of table steps: what each action of the engine costs, and who asked for it."""

import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

PACKAGE = "finance_assets"
# What a part is called, by the function that asks for it.
PARTS = {
    "_write": "parse the delivery",
    "_judged": "refine and stage",
    "stage": "transform and stage",
    "stage_any": "refine and stage",
    "measure": "audit: facts, keys, fingerprint, digests",
    "save": "commit",
    "preview": "preview",
    "count_rows": "count what is rejected",
}


class Profile:
    """CPU seconds by part, of all threads of this process: the engine runs in it."""

    def __init__(self) -> None:
        self.found: dict[str, float] = {}
        self._undo: list[Callable[[], None]] = []
        self._is_inside = False

    def __enter__(self) -> "Profile":
        from pyspark.sql.connect.dataframe import DataFrame
        from pyspark.sql.connect.readwriter import DataFrameWriter

        from finance_assets.lakehouse.sources import staging

        self._started = time.process_time()
        for owner, names in (
            (DataFrame, ("collect",)),
            (DataFrameWriter, ("save", "parquet")),
            (staging, ("_write",)),
        ):
            for name in names:
                self._wrap(owner, name)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.whole = time.process_time() - self._started
        for undo in self._undo:
            undo()

    def seconds(self) -> dict[str, float]:
        """CPU seconds by part, with the rest: planning, the log, Python."""
        rest = self.whole - sum(self.found.values())
        return {**self.found, "everything else": rest}

    def _wrap(self, owner: Any, name: str) -> None:
        function = getattr(owner, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            if self._is_inside:
                return function(*args, **kwargs)
            part = name if name == "_write" else _asking()
            self._is_inside, started = True, time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                self._is_inside = False
                words = PARTS.get(part, "others")
                spent = time.process_time() - started
                self.found[words] = self.found.get(words, 0.0) + spent

        setattr(owner, name, timed)
        self._undo.append(lambda: setattr(owner, name, function))


def _asking() -> str:
    """The innermost function of the package that is on the stack."""
    frames = [f for f in traceback.extract_stack() if PACKAGE in Path(f.filename).parts]
    return frames[-1].name if frames else "others"
