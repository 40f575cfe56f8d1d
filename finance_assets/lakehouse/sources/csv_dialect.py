"""The dialect: how a CSV file is written, and its grammar for a single record.

This is the grammar of Python's csv module, strictly. It decides about the lines that the
vectorised parser (csv_lines.py) does not claim to understand.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from finance_assets.errors import ContractError

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

    def __post_init__(self) -> None:
        """Refuse characters that could not be told apart.

        Raises:
            ContractError: one of them is no single ASCII character, or two are the same.
        """
        marks = [mark for mark in (self.delimiter, self.quote, self.escape) if mark is not None]
        for mark in marks:
            if len(mark) != 1 or not mark.isascii() or mark in "\r\n\0" or mark.isalnum():
                raise ContractError(
                    f"{mark!r} cannot separate, quote or escape values",
                    where="Csv(delimiter, quote, escape)",
                    remedy="one ASCII character that is no letter, digit or line end",
                )
        if len(set(marks)) != len(marks):
            raise ContractError(
                f"one of {marks} stands for two things",
                where="Csv(delimiter, quote, escape)",
                remedy="three different characters, or None",
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
