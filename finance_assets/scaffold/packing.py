"""Packing: a file as a plain copy, whatever it is compressed with."""

import bz2
import lzma
import shlex
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from finance_assets.lakehouse.sources.diagnosis import head_of, kind_of
from finance_assets.lakehouse.sources.unpacking import Compression, DamagedError, unpacked
from finance_assets.scaffold.request import CannotScaffoldError

OPENERS: dict[str, Callable[[Path], IO[Any]]] = {"bzip2": bz2.BZ2File, "xz": lzma.LZMAFile}
ZIP, TAR, TAR_AT = b"PK\x03\x04", b"ustar", 257
# Ways of packing within an archive that Python unpacks, and a bit that says that it cannot.
UNPACKABLE = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
ENCRYPTED = 1
METHODS = {9: "Deflate64", 93: "Zstandard", 95: "xz", 98: "PPMd"}
# Rounds of unpacking: an archive, a file that was packed before it, and one more.
DEEPEST = 3
# Endings of files that hold rows; a .txt may be either.
DATA = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".json", ".dat")
DAMAGE = (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile, zlib.error, DamagedError)


def plain_copy(path: Path, folder: Path) -> Path:
    """The file itself if it is not compressed, else its content in a file of the folder.

    Raises:
        CannotScaffoldError: there is no such file, it is empty, damaged, or packs several.
    """
    if path.is_dir():
        raise _folder(path)
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
    plain = path
    try:
        for depth in range(DEEPEST):
            target = named_in(folder, str(depth), path)
            if not _unpack(plain, target, path):
                break
            plain = target
    except DAMAGE as error:
        raise CannotScaffoldError(
            f"the compressed file is damaged or cut short ({error})",
            where=str(path),
            remedy="get it again",
        ) from error
    return plain


def _folder(path: Path) -> CannotScaffoldError:
    """The refusal of a folder: which of its files have rows is not for us to say."""
    inside = sorted(p for p in path.iterdir() if p.is_file() and p.name[0] not in "._")
    shown = " ".join(f"--from {shlex.quote(str(p))}" for p in inside[:2])
    ending = inside[0].suffix if inside else ".csv"
    return CannotScaffoldError(
        f"it is a folder of {len(inside)} files",
        where=str(path),
        remedy=f"name each: {shown} …, or in a shell $(printf -- '--from %s ' {path}/*{ending})",
    )


def named_in(folder: Path, part: str, path: Path) -> Path:
    """A path below the folder that has the name of the file: messages and remedies show it."""
    found = folder / part / path.name
    found.parent.mkdir(exist_ok=True)
    return found


def _unpack(packed: Path, target: Path, path: Path) -> bool:
    """Write the unpacked content; False if there is nothing to unpack."""
    head = head_of(packed)
    kind = kind_of(head)
    if head[TAR_AT:].startswith(TAR):
        raise CannotScaffoldError(
            "it is a tar archive",
            where=str(path),
            remedy=f"unpack it (tar -xf {path.name}), and name the file with the rows",
        )
    with target.open("wb") as out:
        if kind in (Compression.gzip, Compression.zstd):
            out.writelines(unpacked(packed, Compression(kind)))
        elif kind in OPENERS:
            with OPENERS[kind](packed) as stream:
                shutil.copyfileobj(stream, out)
        elif head.startswith(ZIP):
            _unzip(packed, out, path)
        else:
            return False
    return True


def _unzip(packed: Path, out: IO[bytes], path: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        inside = [i for i in archive.infolist() if not i.is_dir() and i.file_size]
        inside = [i for i in inside if not i.filename.startswith("__MACOSX/")]
        # Beside the rows there may be something to read about them.
        data = [i for i in inside if {s.lower() for s in Path(i.filename).suffixes} & set(DATA)]
        inside = data if len(data) == 1 else inside
        if len(inside) != 1:
            raise CannotScaffoldError(
                f"the archive holds {len(inside)} files",
                where=str(path),
                remedy="unpack it, and name the file (an Excel workbook: save it as CSV)",
            )
        _require_open(inside[0], path)
        with archive.open(inside[0]) as stream:
            shutil.copyfileobj(stream, out)


def _require_open(inside: zipfile.ZipInfo, path: Path) -> None:
    """Refuse what needs a password, or another program than Python to unpack it."""
    if inside.flag_bits & ENCRYPTED:
        what, how = "the archive is encrypted", "unpack it with its password"
    elif inside.compress_type not in UNPACKABLE:
        method = METHODS.get(inside.compress_type, f"method {inside.compress_type}")
        what = f"the archive is packed in a way that Python cannot unpack ({method})"
        how = f"unpack it with another program (7z x {path.name})"
    else:
        return
    raise CannotScaffoldError(
        what, where=f"{path}: {inside.filename}", remedy=f"{how}, and name the file"
    )
