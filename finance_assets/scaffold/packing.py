"""Packing: a file as a plain copy, whatever it is compressed with."""

import bz2
import lzma
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from finance_assets.lakehouse.sources.diagnosis import head_of
from finance_assets.lakehouse.sources.unpacking import Compression, DamagedError, unpacked
from finance_assets.scaffold.request import CannotScaffoldError

GZIP, ZSTD, ZIP, BZIP2, XZ = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"BZh", b"\xfd7zXZ"
OPENERS: dict[bytes, Callable[[Path], IO[Any]]] = {
    BZIP2: bz2.BZ2File,
    XZ: lzma.LZMAFile,
}
# Endings of files that hold rows; a .txt may be either.
DATA = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".json", ".dat")
DAMAGE = (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile, zlib.error, DamagedError)


def plain_copy(path: Path, folder: Path) -> Path:
    """The file itself if it is not compressed, else its content in a file of the folder.

    Raises:
        CannotScaffoldError: there is no such file, it is empty, damaged, or packs several.
    """
    if not path.is_file():
        raise CannotScaffoldError(
            "there is no such file" if not path.exists() else "it is no file",
            where=str(path),
            remedy="name a file of CSV, Parquet or JSON lines",
        )
    try:
        head = head_of(path)
    except OSError as error:
        raise CannotScaffoldError(
            f"it cannot be read: {error.strerror}", where=str(path), remedy="see its permissions"
        ) from error
    if not head:
        raise CannotScaffoldError("the file is empty", where=str(path), remedy="one with rows")
    target = folder / path.name
    try:
        return target if _unpack(path, head, target) else path
    except DAMAGE as error:
        raise CannotScaffoldError(
            f"the compressed file is damaged or cut short ({error})",
            where=str(path),
            remedy="get it again",
        ) from error


def _unpack(path: Path, head: bytes, target: Path) -> bool:
    """Write the unpacked content; False if there is nothing to unpack."""
    with target.open("wb") as out:
        for magic, packing in ((GZIP, Compression.gzip), (ZSTD, Compression.zstd)):
            if head.startswith(magic):
                out.writelines(unpacked(path, packing))
                return True
        for magic, opener in OPENERS.items():
            if head.startswith(magic):
                with opener(path) as packed:
                    shutil.copyfileobj(packed, out)
                return True
        if head.startswith(ZIP):
            _unzip(path, out)
            return True
    return False


def _unzip(path: Path, out: IO[bytes]) -> None:
    with zipfile.ZipFile(path) as archive:
        inside = [i for i in archive.infolist() if not i.is_dir() and i.file_size]
        inside = [i for i in inside if not i.filename.startswith("__MACOSX/")]
        # Beside the rows there may be something to read about them.
        data = [i for i in inside if Path(i.filename).suffix.lower() in DATA]
        inside = data if len(data) == 1 else inside
        if len(inside) != 1:
            raise CannotScaffoldError(
                f"the archive holds {len(inside)} files",
                where=str(path),
                remedy="unpack it, and name the file (an Excel workbook: save it as CSV)",
            )
        with archive.open(inside[0]) as packed:
            shutil.copyfileobj(packed, out)
