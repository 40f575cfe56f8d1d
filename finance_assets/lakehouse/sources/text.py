"""Text: a delivered file as blocks of whole lines in UTF-8, decoded strictly.

Any encoding and compression comes in; what comes out is the same for all. What the lines mean is
the format's business.
"""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from finance_assets.declarations import Mistake
from finance_assets.errors import DeliveryError
from finance_assets.lakehouse.sources.diagnosis import explain_bytes
from finance_assets.lakehouse.sources.unpacking import DamagedError, compression_of, unpacked

# No honest line is longer; without an end, a file would be read into memory as a whole.
MAX_LINE = 64 << 20


@dataclass(frozen=True)
class TextFile:
    """A file of text: the copy that is read, its name for people, its encoding, its sender.

    `may_be_empty`: no file had to come, so that one without rows says that there are none.
    """

    copy: Path
    delivered: Path
    encoding: str
    system: str
    may_be_empty: bool = False

    def refused(self, what: str, line: int, remedy: str) -> DeliveryError:
        """The error that a line makes of the whole file."""
        return DeliveryError(what, where=f"{self.delivered}, line {line}", remedy=remedy)


@dataclass(frozen=True)
class Block:
    """Whole lines of a file, of which the first has the number `line`."""

    line: int
    data: bytes


def unknown_encoding(name: str) -> Iterator[Mistake]:
    """The name of an encoding that Python does not know."""
    try:
        codecs.lookup(name)
    except LookupError:
        yield Mistake(
            "encoding", f"{name!r} is no known encoding", "such as utf-8, latin-1, utf-16"
        )


def blocks(file: TextFile) -> Iterator[Block]:
    """The file's lines, some megabytes at a time; only its last may lack a line end.

    Raises:
        DeliveryError: the file is damaged, cut short, or not in its encoding.
    """
    compression = compression_of(file.delivered.name)
    decoder = _Decoder(file)
    rest, line = b"", 1
    try:
        for number, chunk in enumerate(unpacked(file.copy, compression)):
            if number == 0:
                explain_bytes(file.delivered, chunk, file.encoding)
            data = rest + decoder.decoded(chunk, line + rest.count(b"\n"))
            cut = data.rfind(b"\n") + 1
            rest = data[cut:]
            if len(rest) > MAX_LINE:
                raise _endless(file, line + data.count(b"\n"))
            if cut:
                yield Block(line, decoder.checked(data[:cut], line))
                line += data.count(b"\n", 0, cut)
    except DamagedError as error:
        raise DeliveryError(
            f"the {compression} stream is damaged or cut short ({error})",
            where=f"{file.delivered}, after line {line - 1}",
            remedy=f"ask {file.system} to send the file again; nothing of it was taken over",
        ) from error
    rest += decoder.ended(line)
    if rest:
        yield Block(line, decoder.checked(rest, line))


def _endless(file: TextFile, line: int) -> DeliveryError:
    return file.refused(
        f"the line does not end within {MAX_LINE >> 20} MiB",
        line,
        f"ask {file.system} for a file with line ends (\\n or \\r\\n)",
    )


class _Decoder:
    """Bytes of a file to UTF-8, strictly."""

    def __init__(self, file: TextFile) -> None:
        self.file = file
        self.name = codecs.lookup(file.encoding).name
        self.is_utf8 = self.name in ("utf-8", "utf-8-sig")
        self._decoder = codecs.getincrementaldecoder(self.name)("strict")
        self._is_begun = False

    def decoded(self, chunk: bytes, line: int) -> bytes:
        """A chunk as UTF-8; UTF-8 itself is checked later, in whole lines."""
        if self.is_utf8:
            begins = not self._is_begun and self.name == "utf-8-sig"
            self._is_begun = True
            return chunk.removeprefix(codecs.BOM_UTF8) if begins else chunk
        try:
            return self._decoder.decode(chunk).encode("utf-8")
        except UnicodeDecodeError as error:
            raise self._undecodable(error, line, self._lines_before(error)) from error

    def ended(self, line: int) -> bytes:
        """What is left at the end of the file: a character that was cut short is an error."""
        if self.is_utf8:
            return b""
        try:
            return self._decoder.decode(b"", final=True).encode("utf-8")
        except UnicodeDecodeError as error:
            raise self._undecodable(error, line, 0) from error

    def checked(self, data: bytes, line: int) -> bytes:
        """The same lines, if they are UTF-8."""
        if not self.is_utf8 or data.isascii():
            return data
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise self._undecodable(error, line, data.count(b"\n", 0, error.start)) from error
        return data

    def _lines_before(self, error: UnicodeDecodeError) -> int:
        """Line ends in what could be decoded of the chunk."""
        before = error.object[: error.start]
        return before.decode(self.name, "ignore").count("\n")

    def _undecodable(
        self, error: UnicodeDecodeError, line: int, lines_before: int
    ) -> DeliveryError:
        position = error.start - (error.object.rfind(b"\n", 0, error.start) + 1)
        shown = self.file.encoding.upper()
        return self.file.refused(
            f"byte 0x{error.object[error.start]:02x} at position {position} is not {shown}",
            line + lines_before,
            f"ask {self.file.system} for the file in {shown}, or declare the encoding that it has",
        )
