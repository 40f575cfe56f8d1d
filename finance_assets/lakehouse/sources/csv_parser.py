"""The CSV parser: blocks of lines to rows in columns, most of it without a loop over rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from finance_assets.lakehouse.sources.csv_dialect import MAX_RECORD, Dialect
from finance_assets.lakehouse.sources.csv_lines import Lines, classify
from finance_assets.lakehouse.sources.staging import TextRows
from finance_assets.lakehouse.sources.text import Block

ARROW_BLOCK = 1 << 20


@dataclass(frozen=True)
class Part:
    """Parsed lines: their rows, the header if it stands there, and the number of the next line.

    `spans` are the lines that a record takes together with the next ones, by their index.
    """

    rows: TextRows
    next_line: int
    first_line: int
    data: bytes
    lines: Lines
    spans: dict[int, int]
    header: str | None = None

    def texts(self, numbers: Sequence[int]) -> dict[int, str]:
        """The records that begin at these lines, as they stand in the file."""
        found = {}
        for number in numbers:
            index = number - self.first_line
            if 0 <= index < len(self.lines.starts):
                last = index + self.spans.get(index, 1) - 1
                text = self.data[self.lines.starts[index] : self.lines.ends[last]]
                found[number] = text.decode("utf-8").rstrip("\r\n")
        return found


@dataclass(frozen=True)
class Parser:
    """Parses records of the named columns."""

    dialect: Dialect
    names: tuple[str, ...]

    def parts(self, blocks: Iterator[Block], has_header: bool) -> Iterator[Part]:
        """The file's blocks, parsed; a record that goes on in the next block is parsed there."""
        rest, line = b"", 1
        waiting = next(blocks, None)
        while waiting is not None:
            following = next(blocks, None)
            data, header = rest + waiting.data, None
            if has_header and line == 1:
                header, data = _without_first_line(data)
            part, used = self._parsed(data, line + (header is not None), following is None, header)
            yield part
            line, rest, waiting = part.next_line, data[used:], following

    def parse_text(self, text: str) -> TextRows:
        """The rows of a text that is a whole file without a header."""
        return self._parsed(text.encode("utf-8"), 1, True, None)[0].rows

    def _parsed(
        self, data: bytes, line: int, is_last: bool, header: str | None
    ) -> tuple[Part, int]:
        """The records of some lines, and how many bytes of these they take."""
        lines = classify(data, self.dialect, len(self.names))
        odd = _Odd(self, data, lines, is_last)
        odd.judge()
        stop = odd.stop
        is_good = lines.is_good & ~odd.is_taken
        is_good[stop:] = False
        is_kept = lines.is_malformed & ~odd.is_taken
        is_kept[stop:] = False
        good = np.flatnonzero(is_good)
        kept = [(int(i), None, odd.text(int(i))) for i in np.flatnonzero(is_kept)]
        table = self._split(data, lines, is_good, is_whole=len(good) == len(lines.starts))
        rows = _merged(self.names, good, table, [*kept, *odd.records])
        used = len(data) if stop == len(lines.starts) else int(lines.starts[stop])
        numbered = replace(rows, lines=rows.lines + line, open_quotes=odd.open_quotes)
        return Part(numbered, line + stop, line, data, lines, odd.spans, header), used

    def _split(self, data: bytes, lines: Lines, is_good: np.ndarray, is_whole: bool) -> pa.Table:
        """The fields of the good lines, by pyarrow."""
        if not is_good.any():
            return pa.table({name: pa.array([], pa.string()) for name in self.names})
        if not is_whole:
            lengths = lines.nexts - lines.starts
            data = np.frombuffer(data, np.uint8)[np.repeat(is_good, lengths)].tobytes()
        longest = int((lines.nexts - lines.starts).max())
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(
                column_names=list(self.names), block_size=max(ARROW_BLOCK, 2 * longest)
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self.dialect.delimiter,
                quote_char=self.dialect.quote or False,
                double_quote=True,
                escape_char=False,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(self.names, pa.string()),
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
        if table.num_rows != is_good.sum():
            raise RuntimeError(f"{is_good.sum()} records were split into {table.num_rows}")
        return table


@dataclass
class _Odd:
    """The lines that are not clean, judged one by one by the dialect's grammar.

    `records` are (line, fields or None, text or None), `is_taken` the lines that belong to a
    record that begins before them. From `stop` on the lines wait for the next block.
    """

    parser: Parser
    data: bytes
    lines: Lines
    is_last: bool
    records: list[tuple[int, list[str] | None, str | None]] = field(default_factory=list)
    spans: dict[int, int] = field(default_factory=dict)
    stop: int = 0
    open_quotes: int = 0
    is_taken: np.ndarray = field(default_factory=lambda: np.zeros(0, np.bool_))

    def judge(self) -> None:
        """Give every odd line its record."""
        count = len(self.lines.starts)
        self.stop, self.is_taken = count, np.zeros(count, dtype=np.bool_)
        begun = 0
        for index in map(int, np.flatnonzero(self.lines.is_unclear)):
            if index < begun:
                continue
            text = self.text(index)
            fields, taken = self.parser.dialect.split(text), 1
            if fields is None and self.parser.dialect.is_multiline:
                fields, taken = self._longer(index)
                if taken == 0:
                    self.stop = index
                    return
            elif fields is None and text.count(self.parser.dialect.quote or "\0") % 2:
                self.open_quotes += 1
            self._note(index, fields, taken)
            begun = index + taken

    def text(self, index: int) -> str:
        """A line without its end."""
        line = self.data[self.lines.starts[index] : self.lines.nexts[index]]
        return line.decode("utf-8").rstrip("\r\n")

    def _note(self, index: int, fields: list[str] | None, taken: int) -> None:
        if taken > 1:
            self.spans[index] = taken
            self.is_taken[index + 1 : index + taken] = True
        text = self.text(index)
        if not text:
            return
        is_whole = fields is not None and len(fields) == len(self.parser.names)
        self.records.append((index, fields, None) if is_whole else (index, None, text))

    def _longer(self, index: int) -> tuple[list[str] | None, int]:
        """The record of several lines that begins here, if there is one, and its lines.

        No lines: the next block has to tell.
        """
        limit = int(self.lines.starts[index]) + MAX_RECORD
        feed = _Feed(self, index, limit)
        fields, taken = self.parser.dialect.record(feed)
        if fields is not None and len(fields) == len(self.parser.names):
            return fields, taken
        if feed.is_exhausted and not self.is_last and len(self.data) < limit:
            return None, 0
        return None, 1


@dataclass
class _Feed(Iterator[str]):
    """Lines with their ends, up to a limit; remembers whether more were wanted than there are."""

    odd: _Odd
    index: int
    limit: int
    is_exhausted: bool = False

    def __next__(self) -> str:
        lines = self.odd.lines
        if self.index >= len(lines.starts) or lines.nexts[self.index] > self.limit:
            self.is_exhausted = True
            raise StopIteration
        line = self.odd.data[lines.starts[self.index] : lines.nexts[self.index]]
        self.index += 1
        return line.decode("utf-8")


def _without_first_line(data: bytes) -> tuple[str, bytes]:
    end = data.find(b"\n") + 1 or len(data)
    return data[:end].decode("utf-8").rstrip("\r\n"), data[end:]


def _merged(
    names: tuple[str, ...],
    good: np.ndarray,
    table: pa.Table,
    others: list[tuple[int, list[str] | None, str | None]],
) -> TextRows:
    """Rows that were split together and those that were judged one by one, in their order."""
    columns = [column.combine_chunks() for column in table.columns]
    nothing = pa.nulls(len(good), pa.string())
    if not others:
        return TextRows(good, columns, nothing)
    empty = [None] * len(names)
    fields = list(zip(*(row or empty for _, row, _ in others), strict=True))
    texts = pa.array([text for _, _, text in others], pa.string())
    lines = np.concatenate((good, np.array([index for index, _, _ in others], dtype=np.int64)))
    order = np.argsort(lines, kind="stable")
    taken = pa.array(order)
    merged = [
        pa.concat_arrays([column, pa.array(values, pa.string())]).take(taken)
        for column, values in zip(columns, fields, strict=True)
    ]
    return TextRows(lines[order], merged, pa.concat_arrays([nothing, texts]).take(taken))
