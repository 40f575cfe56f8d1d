"""Parse cache: what was parsed from SQL, in the user's cache folder for the processes that follow.

A file is named by the digest of all that its content depends on: the text, the library and our code
that parse it. One that cannot be read is parsed again; where nothing can be written, nothing is
cached. What depends on anything outside these texts does not belong here.
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
# Files, mostly below a kilobyte: more than dozens of use cases ask for. Then the older half goes.
MAX_FILES = 10_000


def cached(kind: type[T], key: Json, library: str, code: str, compute: Callable[[], T]) -> T:
    """What `compute` gives, or gave for the same key before.

    Args:
        kind: a dataclass of what JSON can hold.
        key: all that the answer depends on, but for who computes it.
        library: the package by whose version it is computed.
        code: digest of our code that computes it; see `digest_of`.
        compute: gives the answer; what it raises is not cached.
    """
    place = _file_of([kind.__name__, key], library, code)
    if place is None:
        return compute()
    with suppress(OSError, ValueError):
        found: T = adapter(kind).validate_json(place.read_bytes(), strict=True)
        return found
    answer = compute()
    # Not every text can be written as JSON.
    with suppress(OSError, ValueError):
        _write(place, adapter(kind).dump_json(answer))
    return answer


def digest_of(*files: str) -> str:
    """Digest of code, to be taken when it is imported: a file may change while it runs. Empty where
    it cannot be read, as in an archive: then nothing is cached.
    """
    found = hashlib.sha256()
    try:
        for file in files:
            found.update(Path(file).read_bytes())
    except OSError:
        return ""
    return found.hexdigest()


def _file_of(key: Json, library: str, code: str) -> Path | None:
    """The file of an answer, in the folder that the XDG base directories name; None if whoever runs
    this has no home, or it cannot be told by what the answer is computed.
    """
    if not code:
        return None
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        folder = given if given.is_absolute() else Path.home() / ".cache"
        computed_by = [_version(library), code]
    except (RuntimeError, PackageNotFoundError):
        return None
    asked = json.dumps([key, computed_by], ensure_ascii=False).encode("utf-8", "surrogatepass")
    return folder / "finance_assets" / hashlib.sha256(asked).hexdigest()


def _write(place: Path, content: bytes) -> None:
    """Put a file there as a whole: others may read it, or write the same."""
    place.parent.mkdir(parents=True, exist_ok=True)
    _prune(place.parent)
    unfinished = place.with_name(f"{place.name}.{uuid.uuid4().hex}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(place)
    finally:
        unfinished.unlink(missing_ok=True)


@cache
def _prune(folder: Path) -> None:
    """Delete the older half of many files. Once in a process: to list them takes as long as to
    parse some texts.
    """
    found = list(folder.iterdir())
    if len(found) < MAX_FILES:
        return
    files = [file for file in found if file.is_file()]
    files.sort(key=lambda file: file.stat().st_mtime_ns)
    for file in files[: MAX_FILES // 2]:
        file.unlink(missing_ok=True)


_version = cache(version)
