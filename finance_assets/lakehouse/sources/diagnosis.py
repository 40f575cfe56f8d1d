"""Diagnosis: what a file that cannot be read really is, so that the message can say so.

Looks at names and first bytes only. It refuses; it mends nothing.
"""

import codecs
from collections.abc import Iterable
from pathlib import Path

from finance_assets.errors import DeliveryError
from finance_assets.lakehouse.sources.unpacking import BY_SUFFIX, Compression, compression_of

MAGICS = {
    b"PAR1": "Parquet",
    b"\x1f\x8b": Compression.gzip.value,
    b"\x28\xb5\x2f\xfd": Compression.zstd.value,
    b"PK\x03\x04": "a zip archive (as .zip and .xlsx are)",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"SQLite format 3\0": "an SQLite database",
    b"%PDF-": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"ORC": "ORC",
    b"Obj\x01": "Avro",
}
# The longest first: UTF-32's mark begins with UTF-16's.
MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
HEAD = 4096
CONTROLS = set(range(32)) - set(b"\t\n\f\r") | {127}


def head_of(path: Path) -> bytes:
    """The first bytes of a file."""
    with path.open("rb") as stream:
        return stream.read(HEAD)


def kind_of(head: bytes) -> str | None:
    """What the first bytes say the file is; None if they say nothing."""
    for magic, kind in MAGICS.items():
        # A text may begin with ORCID: what is packed has bytes that no text has.
        if head.startswith(magic) and not (magic.isalnum() and _is_clean(head)):
            return kind
    encoding = _wide_encoding(head)
    if encoding:
        return f"{encoding} text"
    try:
        # A character may be cut at the end of the head.
        text = codecs.getincrementaldecoder("utf-8")("strict").decode(head[:HEAD])
    except UnicodeDecodeError:
        return None
    return "plain text" if text and "\0" not in text else None


def explain_packing(copy: Path, delivered: Path) -> None:
    """Refuse a file of text that is packed in another way than its name says.

    Raises:
        DeliveryError: the message says what the file is.
    """
    head, promised = head_of(copy), compression_of(delivered.name)
    kind = kind_of(head)
    if not head or (kind == promised.value and promised is not Compression.none):
        return
    if promised is not Compression.none:
        raise _otherwise(delivered, kind or "no such stream", promised.value)
    if kind in MAGICS.values():
        raise _otherwise(delivered, str(kind), "text")


def explain_bytes(delivered: Path, content: bytes, encoding: str) -> None:
    """Refuse unpacked content that is not text, or text in another encoding than declared.

    Raises:
        DeliveryError: the message says what the content is.
    """
    head = content[:HEAD]
    kind = kind_of(head)
    if kind in MAGICS.values():
        raise _otherwise(delivered, str(kind), "text", "what is packed in the file")
    declared = codecs.lookup(encoding).name
    wide = _wide_encoding(head)
    if wide and not declared.startswith((wide.lower(), "utf-16", "utf-32")):
        raise DeliveryError(
            f"the file is {wide} and not {encoding.upper()}",
            where=f"{delivered}, line 1",
            remedy=f"ask for the file in {encoding.upper()}, or declare encoding={wide.lower()!r} "
            "in its Source",
        )
    if head.startswith(codecs.BOM_UTF8) and declared == "utf-8":
        raise DeliveryError(
            "the file begins with a byte-order mark (BOM), which would become a part of the first "
            "column's name",
            where=f"{delivered}, line 1",
            remedy="ask for UTF-8 without BOM, or declare encoding='utf-8-sig' in its Source",
        )


def explain_gone(delivered: Path) -> DeliveryError:
    """The error for a file that need not come, came and is not there: what it held is not lost
    because a folder was tidied up.
    """
    return DeliveryError(
        "the delivery is missing; it was taken over, and is gone",
        where=str(delivered),
        remedy="put the file there again; to withdraw it, put one without rows there under the "
        "same name, with no more than the header",
    )


def explain_missing(delivered: Path, use_case: str) -> DeliveryError:
    """The error for a file that is not there, with what lies there in its place."""
    remedy = "put the file there, or point FINANCE_ASSETS_LANDING at the folder above "
    remedy += f"{use_case}/ that has it"
    found = sorted(_beside(delivered))
    if found:
        remedy = f"beside it lies {', '.join(found[:3])}: deliver the file under the name that is "
        remedy += "declared, or declare the other name and format in its Source"
    elif (delivered.parent.parent / delivered.name).exists():
        remedy = f"it lies in {delivered.parent.parent}: move it to {delivered.parent}/, as every "
        remedy += "use case has a folder of its own"
    return DeliveryError("the delivery is missing", where=str(delivered), remedy=remedy)


def other_delimiter(text: str, header: tuple[str, ...], delimiter: str) -> str | None:
    """The delimiter that makes of a first line the declared header; None if none does."""
    for other in (",", ";", "\t", "|", ":", "^", "~", " "):
        names = [name.strip(" \"'") for name in text.split(other)]
        if other != delimiter and len(header) > 1 and _is_known(names, header):
            return other
    return None


def _is_known(names: list[str], header: tuple[str, ...]) -> bool:
    """Whether most of the header's names are there."""
    return 2 * len(set(names) & set(header)) > len(header)


def _wide_encoding(head: bytes) -> str | None:
    """UTF-16 or UTF-32, by its mark or by the zero bytes that Latin letters have in it."""
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            return encoding
    half = len(head) // 2
    zeros = (head[0::2].count(0), head[1::2].count(0))
    return "UTF-16" if half >= 4 and max(zeros) > 0.7 * half and min(zeros) == 0 else None


def _is_clean(head: bytes) -> bool:
    """Whether there are no control characters but blanks and line ends, as in texts."""
    return not set(head) & CONTROLS


def _beside(delivered: Path) -> Iterable[str]:
    """Names of files that differ from the expected one in extension or case only."""
    if not delivered.parent.is_dir():
        return
    wanted = _stem(delivered.name)
    for path in delivered.parent.iterdir():
        if path.is_file() and _stem(path.name) == wanted:
            yield path.name


def _stem(name: str) -> str:
    """A name without its extensions; a partition such as 2005-04 has no dot."""
    path = Path(name.lower())
    while path.suffix in {*BY_SUFFIX, ".csv", ".tsv", ".txt", ".parquet", ".json", ".jsonl"} | {
        *(".ndjson", ".zip", ".bz2", ".xz", ".xlsx", ".xls", ".part", ".tmp", ".dat", ".psv")
    }:
        path = path.with_suffix("")
    return path.name


def _otherwise(delivered: Path, kind: str, wanted: str, subject: str = "the file") -> DeliveryError:
    return DeliveryError(
        f"{subject} is {kind}, not {wanted}, though it is named {delivered.name}",
        where=str(delivered),
        remedy=f"ask for {wanted} under this name, or declare the file's real name and format in "
        "its Source",
    )
