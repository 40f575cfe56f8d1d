"""CSV: any delimiter, quoting, encoding and compression, parsed by pyarrow block by block.

A record is a line; where the source says so, as many as a quoted value with line ends in it takes.
Whatever is no record of the declared columns is kept as it came: one line, so that a quote that
was never closed costs no other row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from finance_assets.declarations import refuse
from finance_assets.errors import DeliveryError
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.sources.csv_dialect import Dialect
from finance_assets.lakehouse.sources.diagnosis import other_delimiter
from finance_assets.lakehouse.sources.reader import Arrival, Staged
from finance_assets.lakehouse.sources.text import TextFile, blocks, unknown_encoding
from finance_assets.lakehouse.stored import Row

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from finance_assets.lakehouse.sources.csv_parser import Parser
    from finance_assets.lakehouse.sources.source import Source
    from finance_assets.lakehouse.sources.staging import TextRows


@dataclass(frozen=True)
class Csv:
    """Text with a header and one record a line.

    `delimiter`, `quote` and `escape` are single characters; a quote within a quoted value is
    doubled, or escaped where an escape is declared. `encoding` is a name that Python knows, such
    as `utf-8`, `utf-8-sig`, `latin-1`. `is_multiline`: a quoted value may hold line ends. It is not
    the default, as then two stray quotes can make one value of all the lines between them.
    """

    delimiter: str = ","
    quote: str | None = '"'
    escape: str | None = None
    encoding: str = "utf-8"
    has_header: bool = True
    is_multiline: bool = False

    kind = "csv"
    is_typed = False
    reads_copies = False
    malformed = "the number of fields is wrong"

    def __post_init__(self) -> None:
        """Refuse what cannot be read.

        Raises:
            DeclarationError: an unknown encoding, or characters that cannot be told apart.
        """
        refuse("Csv", [*unknown_encoding(self.encoding), *self.dialect.mistakes()])

    @cached_property
    def dialect(self) -> Dialect:
        """The grammar of a record."""
        return Dialect(self.delimiter, self.quote, self.escape, self.is_multiline)

    def stage(
        self,
        spark: "SparkSession",
        source: "Source",
        contract: Contract,
        arrivals: list[Arrival],
        folder: Path,
    ) -> Staged:
        """The rows of deliveries as text; see the protocol."""
        from finance_assets.lakehouse.sources.staging import stage_texts

        return stage_texts(self, spark, source, contract, arrivals, folder)

    def texts(self, source: "Source", copy: Path, wanted: set[int]) -> dict[int, str]:
        """Records of a kept file by the number of their first line; see the protocol."""
        found: dict[int, str] = {}
        named = Path(source.file_pattern)
        file = TextFile(copy, named, self.encoding, source.system)
        parser = self._parser(source)
        for part in parser.parts(blocks(file), self.has_header):
            inside = [n for n in wanted if n < part.next_line and n not in found]
            found |= part.texts(inside)
            if len(found) == len(wanted):
                break
        return found

    def shows(self, source: "Source", text: str, row: Row) -> bool:
        """Whether a record of the file says what the stored row says."""
        from finance_assets.lakehouse.sources.staging import same_text

        parser = self._parser(source)
        return same_text(parser.parse_text(text), source, row)

    def rows(self, source: "Source", file: TextFile) -> "Iterator[TextRows]":
        """The rows of one file, in its order."""
        from finance_assets.lakehouse.sources.staging import require_rows

        parser = self._parser(source)
        lines, rows = 1, 0
        for part in parser.parts(blocks(file), self.has_header):
            if part.header is not None:
                self._require_header(source, file, part.header)
            lines = part.next_line
            rows += len(part.rows)
            yield part.rows
        require_rows(file, rows, lines - 1, header_lines=int(self.has_header))

    def _parser(self, source: "Source") -> "Parser":
        # Imported late: a code location loads without what parses.
        from finance_assets.lakehouse.sources.csv_parser import Parser

        return Parser(self.dialect, source.column_names)

    def _require_header(self, source: "Source", file: TextFile, text: str) -> None:
        """Refuse any header but the declared one: a moved column would be read as another."""
        found = tuple(self.dialect.split(text) or ())
        if found == source.header:
            return
        expected = self.delimiter.join(source.header)
        missing = [name for name in source.header if name not in found]
        extra = [name for name in found if name not in source.header]
        other = other_delimiter(text, source.header, self.delimiter)
        if other:
            what = f"the columns are separated by {other!r}, not by {self.delimiter!r}"
        elif not set(found) & set(source.header) and len(found) == len(source.header) > 1:
            what = "the first line has no name of a declared column: the header is missing"
        elif missing or extra:
            what = f"the header lacks {missing or 'nothing'} and adds {extra or 'nothing'}"
        elif len(found) != len(source.header):
            what = "the header names a column twice"
        else:
            what = f"the header's columns are in another order: {self.delimiter.join(found)}"
        raise DeliveryError(
            what,
            where=f"{file.delivered}, line 1",
            remedy=f"expected exactly {expected}; change the file, or its Source",
        )
