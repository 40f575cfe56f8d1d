"""Personal data: what names a person, and by what groups of persons are compared.

By the column's name and by its values; both can be wrong, so the report shows every finding.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from finance_assets.scaffold.naming import slug

if TYPE_CHECKING:
    from finance_assets.scaffold.profile import Profile

# So many of a column's values must look like it.
SHARE, SAMPLE = 0.8, 500


class Personal(StrEnum):
    """What a column says of a person."""

    none = "none"
    identifies = "identifies"
    protected = "protected"


@dataclass(frozen=True)
class Finding:
    """What a column is, and why."""

    kind: Personal
    reason: str


def _words(*words: str) -> re.Pattern[str]:
    return re.compile(rf"(^|_)({'|'.join(words)})(_|$)")


# Words of column names, in the form that slug() gives them.
NAMED = (
    (_words("e?_?mails?", "email_?address"), "mail address"),
    (
        _words(
            "phones?", "phone_?(no|number)", "tel", "telefon", "telephone", "mobile", "fax", "handy"
        ),
        "phone number",
    ),
    (
        _words(
            *("first_?names?", "last_?names?", "sur_?names?", "given_?names?", "family_?names?"),
            *("full_?names?", "maiden_?name", "middle_?name", "vorname", "nachname", "prenom"),
            *("(customer|client|person|holder|contact|employee|patient|borrower|user)_?names?",),
        ),
        "name of a person",
    ),
    (_words("street", "address", "addr", "strasse", "anschrift", "address_?line_?\\d"), "address"),
    (
        _words(
            *("ssn", "social_?security(_?(no|number))?", "passport(_?(no|number))?", "tax_?id"),
            *("national_?id", "tin", "nin", "personal_?(no|number|code)", "drivers?_?licen[cs]e"),
        ),
        "number of an identity paper",
    ),
    (
        _words("iban", "(credit_?|debit_?)?card_?(no|num|number)", "cc_?(no|num|number)", "pan"),
        "number of a card or an account",
    ),
    (_words("ip", "ip_?addr(ess)?", "mac_?address", "device_?id", "cookie"), "address of a device"),
    (_words("dob", "birth_?(date|day)?", "date_?of_?birth", "geburtsdatum"), "date of birth"),
    (_words("lat", "latitude", "lon", "lng", "longitude"), "place"),
)
PROTECTED = _words(
    *("sex", "gender", "age", "age_?(years|group|band)", "alter", "race", "ethnic(ity)?"),
    *(
        "religion",
        "religious",
        "nationality",
        "citizenship",
        "marital(_?status)?",
        "disabil(ity|ed)",
    ),
    *("pregnan(t|cy)", "sexual_?orientation", "geschlecht", "foreign_?worker", "married"),
)
VALUES = (
    (re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"), "mail address"),
    (re.compile(r"[A-Z]{2}\d{2} ?([A-Z0-9]{4} ?){2,7}[A-Z0-9]{1,4}"), "number of an account"),
    (re.compile(r"\d\d\d-\d\d-\d\d\d\d"), "number of an identity paper"),
    (re.compile(r"(\d{1,3}\.){3}\d{1,3}"), "address of a device"),
    (
        re.compile(r"(\+|00)\d[\d ()/.-]{6,18}\d|\(\d{2,5}\)[ \d/.-]{5,14}|\d{3}-\d{3}-\d\d\d\d"),
        "phone number",
    ),
    (re.compile(r"0\d{2,5}[ /-]\d{3,}[ \d-]*"), "phone number"),
)
FULL_NAME = re.compile(r"([A-ZÄÖÜ][\w'’-]+,? ){1,3}[A-ZÄÖÜ][\w'’-]+")
CARD = re.compile(r"\d(?:[ -]?\d){12,18}")


def personal(found: "Profile") -> Finding:
    """What a column says of a person."""
    name = slug(found.name)
    for pattern, what in NAMED:
        if pattern.search(name):
            return Finding(Personal.identifies, f"its name is that of a {what}")
    what_values = _by_values(found)
    if what_values:
        return Finding(Personal.identifies, f"its values look like a {what_values}")
    if PROTECTED.search(name):
        return Finding(Personal.protected, "its name is that of a protected attribute")
    return Finding(Personal.none, "")


def _by_values(found: "Profile") -> str:
    values = found.values[:SAMPLE]
    if len(values) < 3:
        return ""
    if _share(values, lambda v: bool(CARD.fullmatch(v)) and is_card(v)) >= SHARE:
        return "card number"
    if found.is_number:
        return ""
    for pattern, what in VALUES:
        if _share(values, _matcher(pattern)) >= SHARE:
            return what
    are_many = found.distinct > 20 and found.distinct * 2 > found.present
    if are_many and _share(values, lambda v: bool(FULL_NAME.fullmatch(v))) >= SHARE:
        return "name of a person"
    return ""


def _matcher(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.fullmatch(value) is not None


def _share(values: tuple[str, ...], is_one: Callable[[str], bool]) -> float:
    return sum(map(is_one, values)) / len(values)


def is_card(text: str) -> bool:
    """Whether the digits of a text keep Luhn's sum, as those of card numbers do."""
    digits = [int(c) for c in text if c.isdigit()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = [d * 2 - 9 * (d > 4) if i % 2 else d for i, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0
