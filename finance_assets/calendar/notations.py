"""Notations: the ways in which people and machines write a day, a week or a month.

Each is a pattern of parts. Order of the parts, marks between them, names of months, clocks and
zones are put together here, so that a new mark or a new name is one word.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from finance_assets.calendar.frequency import Frequency

MONTHS = (
    ("january", "jan", "januar", "jänner"),
    ("february", "feb", "februar"),
    ("march", "mar", "märz", "maerz", "mär", "mrz"),
    ("april", "apr"),
    ("may", "mai"),
    ("june", "jun", "juni"),
    ("july", "jul", "juli"),
    ("august", "aug"),
    ("september", "sep", "sept"),
    ("october", "oct", "oktober", "okt"),
    ("november", "nov"),
    ("december", "dec", "dezember", "dez"),
)
NUMBER = {name: number for number, names in enumerate(MONTHS, 1) for name in names}
# Parts of a day. Both Python and Arrow read these patterns.
Y, YY, M, D = r"(?P<y>\d{4})", r"(?P<y>\d{2})", r"(?P<m>\d{1,2})", r"(?P<d>\d{1,2})"
MM, DD = r"(?P<m>\d{2})", r"(?P<d>\d{2})"
MON = f"(?P<name>(?i:{'|'.join(sorted(NUMBER, key=len, reverse=True))}))[.]?"
NTH = f"{D}(?:st|nd|rd|th)?[.]?"
BETWEEN = "[-/ .,']{0,2}"
WEEKDAY = (
    "(?:(?i:mon(?:day|tag)?|tue(?:s(?:day)?)?|wed(?:s|nesday)?|thu(?:r(?:s(?:day)?)?)?"
    "|fri(?:day)?|sat(?:urday)?|sun(?:day)?|mo|di(?:e(?:nstag)?)?|mi(?:t(?:twoch)?)?"
    "|do(?:n(?:nerstag)?)?|fr(?:e(?:itag)?)?|sa(?:m(?:stag)?)?|so(?:n(?:ntag|nabend)?)?"
    "|lun(?:di)?|mardi|mer(?:credi)?|jeu(?:di)?|ven(?:dredi)?|samedi|dim(?:anche)?)[.]?,? )?"
)
# A time of day, with the zone whose clock shows it.
FRACTION = r"(?:[.,]\d+)?"
HOURS = rf"(?:[01]?\d|2[0-3])[:.][0-5]\d(?:[:.][0-5]\d{FRACTION})?"
HALVES = rf"(?:0?[1-9]|1[0-2])(?:[:.][0-5]\d(?:[:.][0-5]\d{FRACTION})?)? ?(?i:[ap][.]?m[.]?)"
HOUR = r"(?:[01]\d|2[0-3])"
DIGITS = rf"T?{HOUR}(?:[0-5]\d(?:[0-5]\d{FRACTION})?)?"
ZONE = r"(?P<zone> ?(?:Z|[A-Z]{3,4}|(?:UTC|GMT)?[+-]\d{2}(?::?\d{2})?))?"
SHOWN_CLOCK = f"(?:(?:[T:-]|,? )(?:{HALVES}|{HOURS})|[T ]{HOUR})"
CLOCK, DENSE_CLOCK = f"(?:{SHOWN_CLOCK}{ZONE})?", f"(?:(?:{DIGITS}|{SHOWN_CLOCK}){ZONE})?"
# As pandas writes whole numbers beside missing ones.
AS_FLOAT = "(?:[.]0)?"
# Time that machines count, by how many digits it has and how much of it makes a day.
COUNTS = (
    ("seconds since 1970", "9,10", 86_400),
    ("milliseconds since 1970", "12,13", 86_400 * 10**3),
    ("microseconds since 1970", "15,16", 86_400 * 10**6),
    ("nanoseconds since 1970", "18,19", 86_400 * 10**9),
)
UNIX, SPREADSHEET = date(1970, 1, 1).toordinal(), date(1899, 12, 30).toordinal()
# A number that counts to a day outside of these counts something else.
FROM, UNTIL = date(1990, 1, 1), date(2040, 1, 1)
# From here on a two-digit year is of the century before.
CENTURY = 69
PARTITIONS = {
    "days": tuple(Frequency),
    "weeks": (Frequency.weekly,),
    "months": (Frequency.monthly,),
    "quarters": (),
    "years": (),
}


@dataclass(frozen=True)
class Notation:
    """One way to write times.

    `shown` is for people, `pattern` that of a day, week or month, which `before` and `after` may
    surround. `names` says what a text names. Where time is counted, `a_day` is how much of it
    makes a day, and `first` the day that it is counted from.
    """

    shown: str
    pattern: str
    names: str = "days"
    before: str = ""
    after: str = ""
    a_day: int = 0
    first: int = 0

    @property
    def whole(self) -> str:
        """The pattern of a text, with the group `day` for what names the day."""
        return f"^{self.before}(?P<day>{self.pattern}){self.after}$"

    @property
    def partitions(self) -> tuple[Frequency, ...]:
        """Partitions that a text tells."""
        return PARTITIONS[self.names]

    def may_read(self, text: str) -> bool:
        """Whether a text looks like one of this notation, though it may name no day."""
        return re.match(self.whole, text) is not None

    def day(self, text: str) -> date | None:
        """The first day of what the text of a day, week or month names; None if there is none."""
        found = re.fullmatch(self.pattern, text)
        if found is None:
            return None
        part = found.groupdict()
        try:
            if self.a_day:
                day = date.fromordinal(int(part["n"]) // self.a_day + self.first)
                return day if FROM <= day < UNTIL else None
            year = int(part["y"])
            if len(part["y"]) == 2:
                year += 1900 if year >= CENTURY else 2000
            if "w" in part:
                return date.fromisocalendar(year, int(part["w"]), int(part.get("weekday", 1)))
            month = NUMBER[part["name"].casefold()] if "name" in part else int(part.get("m", 1))
            month = 3 * int(part["q"]) - 2 if "q" in part else month
            return date(year, month, int(part.get("d", 1)))
        except (ValueError, OverflowError):
            return None


def _days(shown: str, pattern: str) -> Notation:
    return Notation(shown, pattern, before=WEEKDAY, after=CLOCK)


def _in_numbers() -> Iterator[Notation]:
    for mark in "-/.":
        y_m_d, d_m_y, m_d_y = (mark.join(p) for p in ("YMD", "DMY", "MDY"))
        for shown, order in ((y_m_d, (Y, M, D)), (d_m_y, (D, M, Y)), (m_d_y, (M, D, Y))):
            # Between dots the day comes first.
            if (mark, shown) != (".", m_d_y):
                yield _days(_spelled(shown, "YYYY"), f"[{mark}]".join(order))
        # 1.2.24 is a version, and 1/2/24 a day.
        d, m = (D, M) if mark == "/" else (DD, MM)
        yield _days(_spelled(d_m_y, "YY"), f"[{mark}]".join((d, m, YY)))
        if mark != ".":
            yield _days(_spelled(m_d_y, "YY"), f"[{mark}]".join((m, d, YY)))
        yield _days(_spelled(y_m_d, "YY"), f"[{mark}]".join((YY, MM, DD)))
        yield Notation(f"YYYY{mark}MM", f"{Y}[{mark}]{MM}", "months")
        # 1.1950 is an amount.
        yield Notation(f"MM{mark}YYYY", f"{MM if mark == '.' else M}[{mark}]{Y}", "months")


def _spelled(order: str, year: str) -> str:
    return order.replace("Y", year).replace("M", "MM").replace("D", "DD")


def _in_words() -> Iterator[Notation]:
    yield _days("DD Mon YYYY", f"{NTH}{BETWEEN}{MON}{BETWEEN}{Y}")
    yield _days("DD Mon YY", f"{NTH}{BETWEEN}{MON}{BETWEEN}{YY}")
    yield _days("Mon DD YYYY", f"{MON}{BETWEEN}{NTH}{BETWEEN} ?{Y}")
    yield _days("YYYY Mon DD", f"{Y}{BETWEEN}{MON}{BETWEEN}{D}")
    around = f"{MON} +{D} (?:{HALVES}|{HOURS})(?: [A-Z]{{3,4}})? {Y}"
    yield Notation("Mon DD HH:MM:SS YYYY", around, before=WEEKDAY)
    yield Notation("Mon YYYY", f"{MON}{BETWEEN}{Y}", "months")
    yield Notation("YYYY Mon", f"{Y}{BETWEEN}{MON}", "months")
    yield Notation("Mon-YY", f"{MON}[-']{YY}", "months")


def _in_digits() -> Iterator[Notation]:
    yield Notation("YYYYMMDD", f"{Y}{MM}{DD}", after=DENSE_CLOCK + AS_FLOAT)
    yield Notation("YYYYMM", f"{Y}{MM}", "months", after=AS_FLOAT)
    yield Notation("MMYYYY", f"{MM}{Y}", "months", after=AS_FLOAT)
    for shown, digits, a_day in COUNTS:
        counted = f"(?P<n>\\d{{{digits}}})"
        yield Notation(shown, counted, after=FRACTION, a_day=a_day, first=UNIX)
    days = r"(?P<n>\d{5})"
    yield Notation("days of a spreadsheet", days, after=FRACTION, a_day=1, first=SPREADSHEET)


def _in_parts_of_a_year() -> Iterator[Notation]:
    week, quarter = r"(?P<w>\d{1,2})", "(?P<q>[1-4])"
    yield Notation("YYYY-Www", f"{Y}[- ]?(?:W|KW|CW) ?{week}", "weeks")
    yield Notation("Www/YYYY", f"(?:W|KW|CW) ?{week}[-/ .]{Y}", "weeks")
    yield _days("YYYY-Www-D", f"{Y}-?W{DD.replace('<d>', '<w>')}-?(?P<weekday>[1-7])")
    yield Notation("YYYYMmm", f"{Y}-?M{MM}", "months")
    yield Notation("YYYYQq", f"{Y}[-/ .]?Q{quarter}", "quarters")
    yield Notation("Qq YYYY", f"Q{quarter}[-/ .]?{Y}", "quarters")
    yield Notation("qQYYYY", f"{quarter}[. ]?Q[-/ .]?{Y}", "quarters")
    yield Notation("YYYY", Y, "years", after=AS_FLOAT)


# In the order in which a person is told of them.
NOTATIONS = (*_in_numbers(), *_in_digits(), *_in_words(), *_in_parts_of_a_year())
