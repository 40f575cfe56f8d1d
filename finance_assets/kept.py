"""Kept: what was once read from a text, in the user's cache folder for the processes that follow.

A cache and nothing else. An answer is named by the digest of all that it depends on: the question,
the library and our code that found it. One that cannot be read is found again; where nothing can be
written, nothing is kept. What may be wrong tomorrow does not belong here.
"""

import hashlib
import json
import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar

from finance_assets.codec import Json, adapter

T = TypeVar("T")
# Files, of some kilobytes each: more than a dozen use cases ask for. Then the older half goes.
MOST = 2_000


def kept(kind: type[T], question: Json, library: str, code: str, find: Callable[[], T]) -> T:
    """What `find` answers, or answered to the same question before.

    Args:
        kind: a dataclass of what JSON can hold.
        question: all that the answer depends on, but for who finds it.
        library: the package by whose version it is found.
        code: digest of our code that finds it; see `digest_of`.
        find: answers the question; what it raises is not kept.
    """
    place = _place([kind.__name__, question], library, code)
    if place is None:
        return find()
    with suppress(OSError, ValueError):
        found: T = adapter(kind).validate_json(place.read_bytes(), strict=True)
        return found
    answer = find()
    # Not every text can be written as JSON.
    with suppress(OSError, ValueError):
        _keep(place, adapter(kind).dump_json(answer))
    return answer


def digest_of(*files: str) -> str:
    """Digest of code, to be taken when it is imported: a file may change while it runs. Empty where
    it cannot be read, as in an archive: then nothing is kept.
    """
    found = hashlib.sha256()
    try:
        for file in files:
            found.update(Path(file).read_bytes())
    except OSError:
        return ""
    return found.hexdigest()


def _place(question: Json, library: str, code: str) -> Path | None:
    """The file of an answer, in the folder that the XDG base directories name; None if whoever runs
    this has no home, or it cannot be told by what the answer is found.
    """
    if not code:
        return None
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        folder = given if given.is_absolute() else Path.home() / ".cache"
        found_by = [_version(library), code]
    except (RuntimeError, PackageNotFoundError):
        return None
    asked = json.dumps([question, found_by], ensure_ascii=False).encode("utf-8", "surrogatepass")
    return folder / "finance_assets" / hashlib.sha256(asked).hexdigest()


def _keep(place: Path, content: bytes) -> None:
    """Put a file there as a whole: others may read it, or write the same."""
    place.parent.mkdir(parents=True, exist_ok=True)
    _forget_older(place.parent)
    unfinished = place.with_name(f"{place.name}.{uuid.uuid4().hex}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(place)
    finally:
        unfinished.unlink(missing_ok=True)


def _forget_older(folder: Path) -> None:
    files = [file for file in folder.iterdir() if file.is_file()]
    if len(files) >= MOST:
        files.sort(key=lambda file: file.stat().st_mtime_ns)
        for file in files[: MOST // 2]:
            file.unlink(missing_ok=True)


_version = cache(version)
