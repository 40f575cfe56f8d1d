"""The archive: every accepted delivery, kept byte for byte under the digest of its bytes.

A plain folder, on a laptop or in a volume. The same bytes are stored once. Which partition a
file was delivered for is not known here; the publications say so.
"""

import contextlib
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from finance_assets.errors import DeliveryError

CHUNK = 1 << 20
DAY = 86_400
INCOMING = "_incoming"


@dataclass(frozen=True)
class Received:
    """A copy of a delivered file that is not accepted yet, and the sha256 of its bytes."""

    path: Path
    sha256: str


@dataclass(frozen=True)
class DeliveryArchive:
    """The folder `<root>/<first two digits>/<sha256>`; `keep_days` is None for ever."""

    root: Path
    keep_days: int | None = None

    def place(self, sha256: str) -> Path:
        """Where the file with this digest lies, if it is kept."""
        return self.root / sha256[:2] / sha256

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """A folder for copies that are not accepted yet; gone when the block ends."""
        folder = self.root / INCOMING / uuid.uuid4().hex
        with _archiving(folder):
            folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def receive(self, delivered: Path, folder: Path) -> Received:
        """Copy a delivered file, so that the bytes that are read are the bytes that are kept.

        Raises:
            DeliveryError: there is no such file, or it cannot be read or copied.
        """
        target, digest = folder / uuid.uuid4().hex, hashlib.sha256()
        with _opened(delivered) as source, _archiving(delivered), target.open("wb") as copy:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
        return Received(target, digest.hexdigest())

    def keep(self, received: Received, stays: bool = False) -> Path:
        """Take an accepted file into the archive; its days are counted from now.

        `stays`: the copy is still read where it lies.

        Raises:
            DeliveryError: the archive does not take it.
        """
        place = self.place(received.sha256)
        with _archiving(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            accepted = _second(received.path) if stays else received.path
            # The copy replaces what is there: a kept file that was damaged is mended by this.
            accepted.replace(place)
            os.utime(place)
        return place

    def expire(self) -> list[str]:
        """Delete the files kept for longer than `keep_days`; the digests of those deleted.

        What an ingestion that died left behind goes after a day.
        """
        now = time.time()
        for folder in self.root.glob(f"{INCOMING}/*"):
            with contextlib.suppress(OSError):
                if folder.stat().st_mtime < now - DAY:
                    shutil.rmtree(folder, ignore_errors=True)
        if self.keep_days is None:
            return []
        gone = []
        for path in self.root.glob("??/*"):
            # Another process may be deleting the same file.
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < now - self.keep_days * DAY:
                    path.unlink()
                    gone.append(path.name)
        return gone

    def problem(self, sha256: str) -> str:
        """Why the file with this digest cannot be shown; empty when it is there and intact."""
        place = self.place(sha256)
        try:
            found = sha256_of(place)
        except FileNotFoundError:
            return f"the delivered file is gone: expired or deleted (sha256 {sha256[:12]})"
        except OSError as error:
            return f"the delivered file cannot be read: {error}"
        return "" if found == sha256 else f"the kept file was altered (sha256 is {found[:12]})"


def sha256_of(path: Path) -> str:
    """The digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _second(path: Path) -> Path:
    """The same file under a second name beside it; volumes have no links, so there it is copied."""
    second = path.with_name(uuid.uuid4().hex)
    try:
        os.link(path, second)
    except OSError:
        shutil.copyfile(path, second)
    return second


@contextmanager
def _opened(delivered: Path) -> Iterator[BinaryIO]:
    try:
        stream = delivered.open("rb")
    except FileNotFoundError as error:
        raise DeliveryError(
            "the delivery is missing",
            where=str(delivered),
            remedy="put the file there, or point FINANCE_ASSETS_LANDING at the folder that has it",
        ) from error
    except OSError as error:
        raise DeliveryError(
            f"the delivery cannot be read: {error}",
            where=str(delivered),
            remedy="mend the file or its permissions",
        ) from error
    with stream:
        yield stream


@contextmanager
def _archiving(where: Path) -> Iterator[None]:
    """An archive that does not take a file fails the ingestion: nothing is published unkept."""
    try:
        yield
    except OSError as error:
        raise DeliveryError(
            f"the delivery cannot be archived, so nothing of it was taken over: {error}",
            where=str(where),
            remedy="make room or mend the permissions of FINANCE_ASSETS_ARCHIVE, and run again",
        ) from error
