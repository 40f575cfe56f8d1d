"""Encoding: which one a text is in, from its mark, as UTF-8, or by the letters in it."""

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from finance_assets.lakehouse.sources.diagnosis import MAGICS, MARKS, head_of, kind_of
from finance_assets.scaffold.request import CannotScaffoldError

# Letters beyond ASCII that are enough to tell encodings apart; more only costs time.
ODD_BYTES = 200_000
# The encodings of files that people send each other; of all that there are, too many would fit.
ISOLATED = [
    *("cp1252", "latin_1", "iso8859_15", "cp1250", "iso8859_2", "cp1251", "koi8_r", "cp1253"),
    *("cp1254", "cp1255", "cp1256", "cp932", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"),
    *("mac_roman", "cp850"),
]
# Kinds of files that a message can name; the others are no text.
KINDS = {*MAGICS.values(), "UTF-16 text"}
# What stands for bytes that are no UTF-8: a code that Unicode keeps free, so no text has it.
BROKEN = "\ufdd0"
ODD_WORD = re.compile(r"\w*[^\W\x00-\x7f]\w*")
# A letter beyond ASCII, or a sign beside a letter, as of a word in another encoding.
LETTERS = re.compile(r"[^\W\x00-\x7f]|[^\W\d_][^\x00-\x7f]|[^\x00-\x7f][^\W\d_]|\ufffd")
# 50£ has no letter that could be shown.
ODD_SIGN = re.compile(r"[^\s,;|]{0,12}[^\x00-\x7f][^\s,;|]{0,12}")


@dataclass(frozen=True)
class Encoding:
    """The encoding of a text. `broken` of its lines are not in it; `word` is one that shows how
    letters are read, where the encoding is a guess.
    """

    name: str
    broken: int = 0
    word: str = ""


def encoding_of(path: Path) -> Encoding:
    """The encoding of a file.

    A few lines that are no UTF-8 make no other encoding of a file whose other lines are: letters
    of another one are hardly ever UTF-8 by chance.

    Raises:
        CannotScaffoldError: it is no text, or in no encoding that can be told.
    """
    head = head_of(path)
    for mark, name in MARKS.items():
        if head.startswith(mark):
            return Encoding(name.lower())
    with path.open("rb") as stream:
        good, broken, odd = _odd_lines(stream)
    if b"\0" in odd:
        kind = kind_of(head)
        raise CannotScaffoldError(
            f"the file is {kind}" if kind in KINDS else "the file is no text",
            where=str(path),
            remedy="CSV, Parquet or JSON lines",
        )
    if head.startswith(codecs.BOM_UTF8):
        return Encoding("utf-8-sig", broken)
    is_utf8 = good > broken or not broken
    return Encoding("utf-8", broken) if is_utf8 else _guessed(path, odd)


def _odd_lines(stream: Iterable[bytes]) -> tuple[int, int, bytes]:
    """How many lines beyond ASCII are UTF-8 and how many are not, and some of these; of lines with
    zero bytes, as no text has, at least one.
    """
    good, broken, kept, size = 0, 0, [], 0
    for line in stream:
        if line.isascii() and b"\0" not in line:
            continue
        try:
            line.decode("utf-8")
            is_kept = b"\0" in line
            good += 1
        except UnicodeDecodeError:
            is_kept = True
            broken += 1
        if is_kept and size < ODD_BYTES:
            kept.append(line)
            size += len(line)
    return good, broken, b"".join(kept)


def _guessed(path: Path, odd: bytes) -> Encoding:
    """The encoding in which the letters of some lines are such as people write."""
    from charset_normalizer import from_bytes

    best = from_bytes(odd, cp_isolation=ISOLATED).best()
    if best is None:
        raise CannotScaffoldError(
            "the encoding of the file cannot be told",
            where=str(path),
            remedy="save it as UTF-8",
        )
    western = odd.decode("cp1252", errors="replace")
    # Where both say the same, it is what Windows writes in the west; and so are signs alone, which
    # tell nothing: 50£ would be 50Ł.
    is_western = str(best) == western or not LETTERS.search(western)
    read = western if is_western else str(best)
    word = ODD_WORD.search(read) or ODD_SIGN.search(read)
    return Encoding("cp1252" if is_western else str(best.encoding), word=word[0] if word else "")


def marked_copy(path: Path, copy: Path, name: str) -> Path:
    """A copy of a text with a mark in place of bytes that are not in its encoding."""
    codecs.register_error("marked", _marked)
    with (
        path.open(encoding=name, errors="marked", newline="") as source,
        copy.open("w", encoding=name, newline="") as target,
    ):
        target.writelines(source)
    return copy


def _marked(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return BROKEN, error.end
