"""The dialect: how a CSV file is written, and its grammar for a single record.

This is the grammar of Python's csv module, strictly. It decides about the lines that the
vectorised parser (csv_lines.py) does not claim to understand.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from finance_assets.declarations import Mistake

# A quote that is not closed within so many bytes was never meant to open a field.
MAX_RECORD = 1 << 20


@dataclass(frozen=True)
class Dialect:
    """Delimiter, quote and escape (single ASCII characters), and whether a quoted value may hold
    line ends. Without a quote, no character is special but the delimiter.
    """

    delimiter: str = ","
    quote: str | None = '"'
    escape: str | None = None
    is_multiline: bool = False

    def mistakes(self) -> Iterator[Mistake]:
        """Characters that could not be told apart."""
        named = {"delimiter": self.delimiter, "quote": self.quote, "escape": self.escape}
        marks = {field: mark for field, mark in named.items() if mark is not None}
        for field, mark in marks.items():
            if len(mark) != 1 or not mark.isascii() or mark in "\r\n\0" or mark.isalnum():
                yield Mistake(
                    field,
                    f"{mark!r} cannot separate, quote or escape values",
                    "one ASCII character that is no letter, digit or line end",
                )
        if len(set(marks.values())) != len(marks):
            yield Mistake(
                ", ".join(marks),
                f"one of {list(marks.values())} stands for two things",
                "different characters, or None",
            )

    def split(self, text: str) -> list[str] | None:
        """The fields of one line without its end; None if it is no record."""
        if (self.quote is None or self.quote not in text) and (
            self.escape is None or self.escape not in text
        ):
            return text.split(self.delimiter)
        try:
            return next(self._reader(iter([text])), [])
        except csv.Error:
            return None

    def record(self, lines: Iterator[str]) -> tuple[list[str] | None, int]:
        """The record that begins with the first of these lines (with their ends), and how many of
        them it takes; None if there is none.
        """
        reader = self._reader(lines)
        try:
            return next(reader, None), reader.line_num
        except csv.Error:
            return None, reader.line_num

    def _reader(self, lines: Iterator[str]) -> Any:
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            escapechar=self.escape,
            quoting=csv.QUOTE_NONE if self.quote is None else csv.QUOTE_MINIMAL,
            strict=True,
        )
