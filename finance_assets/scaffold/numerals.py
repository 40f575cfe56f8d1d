"""Numerals: how the numbers of a column are written, by a machine or for people.

One pattern says which texts are numbers, one of what to leave out says what each of them is; both
are read alike by Python and by the engine, whose SQL is made of them (sql.py).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from finance_assets.lakehouse.readable import PATTERNS

if TYPE_CHECKING:
    import pandas as pd

WHOLE, NUMBER = PATTERNS["int"], PATTERNS["double"]
# Blanks that never break a line, or are narrow, stand between thousands and before units.
BLANKS = " \u00a0\u2009\u202f"
MARKS = ".,'\u2019" + BLANKS
# A minus that is none of the keyboard; a sign may also stand behind, or be a pair of brackets.
MINUS = "\u2212"
NEGATIVE = f"[({MINUS}-]"
BOUNDS = "<>\u2264\u2265"
SCALES = {
    **{"k": 1e3, "K": 1e3, "Tsd": 1e3, "Tsd.": 1e3, "m": 1e6, "M": 1e6, "mn": 1e6, "Mio": 1e6},
    **{"Mio.": 1e6, "B": 1e9, "bn": 1e9, "Mrd": 1e9, "Mrd.": 1e9},
}


@dataclass(frozen=True)
class Numeral:
    """How the numbers of a column are written, where not all are plain ones of a type.

    `groups` are marks between thousands, `is_lakh` if they stand between hundreds of them, too.
    `units` say nothing, as there is one; `scales` multiply. `is_signed`: a minus stands behind, is
    a pair of brackets, or no key of a keyboard. `is_bounded`: `60+` and `>200` are read as the
    bound that they name.
    """

    decimal: str = "."
    groups: str = ""
    units: tuple[str, ...] = ()
    scales: tuple[str, ...] = ()
    is_lakh: bool = False
    is_signed: bool = False
    is_bounded: bool = False

    def __str__(self) -> str:
        said = [
            "with a decimal comma" if self.decimal == "," else "",
            "with marks between thousands" if self.groups.strip(".") else "",
            f"with a unit ({', '.join(self.units)})" if self.units else "",
            f"in {', '.join(self.scales)}" if self.scales else "",
            "with a sign in brackets, behind or of its own" if self.is_signed else "",
            "with bounds such as 60+ or >200" if self.is_bounded else "",
        ]
        return " and ".join(["numbers", *filter(None, said)]).replace(" and ", " ", 1)

    @property
    def pattern(self) -> str:
        """What a text must look like, as a whole, to be a number."""
        point, gap = f"[{self.decimal}]", f"{any_of(BLANKS)}?" if self._has_gaps else ""
        whole = "[0-9]+"
        if self.groups:
            whole = f"[1-9][0-9]{{0,2}}({any_of(self.groups)}[0-9]{{3}})+|{whole}"
        if self.is_lakh:
            whole = f"[1-9][0-9]?(,[0-9]{{2}})+,[0-9]{{3}}|{whole}"
        number = f"(({whole})({point}[0-9]*)?|{point}[0-9]+)"
        if not self.is_signed:
            number += "([eE][+-]?[0-9]+)?"
        # +49 301 234 567 is no amount.
        sign = any_of("+-" + MINUS * self.is_signed) + "?"
        if set(self.groups) & set(BLANKS):
            sign = sign.replace("+", "")
        before = f"({one_of(self.units)}{gap})?" if self.units else ""
        afters = (*self.units, *self.scales)
        after = f"({gap}{one_of(afters)})?" if afters else ""
        signs = f"({sign}{gap}{before}|{before}{sign})" if before else f"{sign}{gap}"
        pattern = f"{signs}{number}{after}"
        if self.is_signed:
            plain = f"{before}{number}{after}"
            pattern = f"({pattern}|{plain}{any_of('-' + MINUS)}|{before}[(]{plain}[)])"
        if self.is_bounded:
            pattern = f"([{BOUNDS}]=?{gap})?{pattern}({gap}[+])?"
        return pattern

    @property
    def _has_gaps(self) -> bool:
        """Whether a blank may stand beside a number: behind its sign, or before its unit."""
        is_apart = self.is_signed or self.is_bounded or bool(set(self.groups) & set(BLANKS))
        return bool(is_apart or self.units or self.scales)

    @property
    def left_out(self) -> str:
        """A pattern of what to take away for the number to be left; empty if there is nothing."""
        chars = self.groups + "-()" * self.is_signed + MINUS * self.is_signed
        chars += f"{BOUNDS}=+" * self.is_bounded
        words = tuple(sorted((*self.units, *self.scales), key=len, reverse=True))
        chars = "".join(dict.fromkeys(chars + BLANKS * self._has_gaps))
        every = any_of(chars) if chars else ""
        return "|".join([*map(literal, words), *([every] if every else [])])

    @property
    def factors(self) -> tuple[tuple[str, float], ...]:
        """What a number that has a pattern in it is multiplied by, the first that fits."""
        gap = f"[0-9]{any_of(BLANKS)}?"
        # `6 Mrd` has an M in it, too.
        longest = sorted(self.scales, key=len, reverse=True)
        return tuple((f"{gap}{literal(scale)}", SCALES[scale]) for scale in longest)

    def numbers(self, texts: "pd.Series[str]") -> "pd.Series[float]":
        """Texts as numbers; NaN what is none, as the engine would have it."""
        import pandas as pd

        found = texts.astype("object")
        is_number = found.str.fullmatch(self.pattern).eq(True)
        found = found.where(is_number, None)
        plain = found
        if self.left_out:
            plain = plain.str.replace(self.left_out, "", regex=True)
        if self.decimal != ".":
            plain = plain.str.replace(self.decimal, ".", regex=False)
        values = pd.to_numeric(plain, errors="coerce").astype("float64")
        if self.is_signed:
            values = values.where(~found.str.contains(NEGATIVE).eq(True), -values)
        is_open = values.notna()
        for pattern, factor in self.factors:
            has = is_open & found.str.contains(pattern).eq(True)
            values, is_open = values.where(~has, values * factor), is_open & ~has
        return values

    def doubts(self, texts: "pd.Series[str]") -> list[str]:
        """What a person should look at in texts that fit: a number whose sign or size people write
        in more than one way, and one without the unit that others have.
        """
        said = []
        for pattern in (
            f"[(]|[{MINUS}-]$" if self.is_signed else "",
            *(p for p, _ in self.factors),
        ):
            shown = texts[texts.str.contains(pattern)] if pattern else texts[:0]
            if len(shown):
                said.append(f"{shown.iloc[0]} is read as {self.numbers(shown[:1]).iloc[0]:,g}")
        has = texts.str.contains(one_of(self.units)) if self.units else texts.ne("")
        # Nothing is as much of one unit as of another.
        bare = texts[~has & self.numbers(texts).ne(0)]
        if len(bare) and has.any():
            said.append(f"{texts[has].iloc[0]} and {bare.iloc[0]} are read as of one unit")
        return said


def any_of(chars: str) -> str:
    """A pattern of one of some characters."""
    # A dash in the middle would be a range.
    dash = "-" if "-" in chars else ""
    return f"[{chars.replace('-', '')}{dash}]"


def one_of(words: tuple[str, ...]) -> str:
    """A pattern of one of some words."""
    longest = sorted(words, key=len, reverse=True)
    return f"({'|'.join(map(literal, longest))})" if len(words) > 1 else literal(words[0])


def literal(word: str) -> str:
    """A pattern of nothing but a word."""
    return "".join(c if c.isalnum() else f"[{c}]" for c in word)
