"""Personal data: what names a person, and by what groups of persons are compared.

By the column's name and by its values; both can be wrong, so the report shows every finding.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

from finance_assets.scaffold.naming import slug
from finance_assets.scaffold.people import PERSONS, is_age, is_full_name
from finance_assets.scaffold.profile import FALSE, TRUE, Profile

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


@dataclass(frozen=True)
class Named:
    """Words of column names, in the form that slug() gives them, and what the column then is.

    Of `few` values that come again and again each has to look like this: kinds of telephones are
    no numbers of any. `may_be_small`: a small number may be one, and not only count them.
    """

    words: re.Pattern[str]
    what: str
    few: re.Pattern[str]
    may_be_small: bool = False


ANY, DIGIT, DIGITS = re.compile(""), re.compile(r"\d"), re.compile(r"(\d\D*){5}")
NAMED = (
    Named(_words("e?_?mails?", "email_?address"), "mail address", re.compile("@")),
    Named(
        _words(
            r"((tele?|cell|mobile|handy)?_?(phones?|fon)|tel|mobile|handy|fax)_?(no|nr|num|number"
            r"|nummer)?\d*",
            *("msisdn", "(contact|cell)_?(no|number)"),
        ),
        "phone number",
        DIGITS,
    ),
    Named(
        _words(
            *("first_?names?", "last_?names?", "sur_?names?", "given_?names?", "family_?names?"),
            *("full_?names?", "maiden_?name", "middle_?name", "vorname", "nachname", "prenom"),
            rf"({'|'.join(PERSONS)})_?names?",
        ),
        "name of a person",
        ANY,
    ),
    Named(
        _words("street", "address", "addr", "strasse", "anschrift", "address_?line_?\\d"),
        "address",
        DIGIT,
    ),
    Named(
        _words(
            *("ssn", "social_?security(_?(no|number))?", "passport(_?(no|number))?", "tax_?id"),
            *("national_?id", "tin", "nin", "personal_?(no|number|code)", "drivers?_?licen[cs]e"),
        ),
        "number of an identity paper",
        DIGITS,
        may_be_small=True,
    ),
    Named(
        _words("iban", "(credit_?|debit_?)?card_?(no|num|number)", "cc_?(no|num|number)", "pan"),
        "number of a card or an account",
        DIGITS,
        may_be_small=True,
    ),
    Named(
        _words("licen[cs]e_?plates?", "number_?plates?", "plate_?(no|number)", "kennzeichen"),
        "licence plate",
        DIGIT,
    ),
    Named(
        _words("ip", "ip_?addr(ess)?", "mac_?address", "device_?id", "cookie"),
        "address of a device",
        re.compile("[0-9:.]"),
        may_be_small=True,
    ),
    Named(
        _words("dob", "birth_?(date|day)?", "date_?of_?birth", "geburtsdatum"),
        "date of birth",
        DIGIT,
        may_be_small=True,
    ),
    Named(_words("lat", "latitude", "lon", "lng", "longitude"), "place", DIGIT, may_be_small=True),
)
PROTECTED = _words(
    *("sex", "gender", "race", "ethnic(ity)?"),
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
    (re.compile(r"([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}"), "address of a device"),
    (
        re.compile(r"(\+|00)\d[\d ()/.-]{6,18}\d|\(\d{2,5}\)[ \d/.-]{5,14}|\d{3}-\d{3}-\d\d\d\d"),
        "phone number",
    ),
    (re.compile(r"0\d{2,5}[ /-]\d{3,}[ \d-]*"), "phone number"),
)
# Within a text, where a number of so many digits alone says little.
WITHIN = (
    (re.compile(r"[\w.+-]+@[\w-]+\.[A-Za-z]{2,}"), "mail addresses"),
    (
        re.compile(
            r"(?<![\w+])\+\d[\d ()/.-]{7,16}\d"
            r"|\b(tel|telefon|phone|handy|fax)\b\W{0,3}(\w{2,6}\W{1,2})?"
            r"[\d(][\d ()/.-]{5,}\d",
            re.IGNORECASE,
        ),
        "phone numbers",
    ),
)
# Texts that are looked into, and the share of them that is no accident.
TEXTS, SHARE_WITHIN, LEAST_WITHIN = 5000, 0.01, 3
# Numbers below count things; those of telephones, cards and papers are longer.
LEAST_NUMBER = 100_000
YES_NO = TRUE | FALSE | {"ja", "nein", "j", "oui", "non", "si", "sí", "none", "on", "off"}
MANY = 20
CARD = re.compile(r"\d(?:[ -]?\d){12,18}")


def personal(found: Profile) -> Finding:
    """What a column says of a person."""
    name = slug(found.name)
    for named in NAMED:
        if named.words.search(name) and _can_be(found, named):
            return Finding(Personal.identifies, f"its name is that of a {named.what}")
    what_values = _by_values(found, name)
    if what_values:
        return Finding(Personal.identifies, f"its values look like a {what_values}")
    what_texts = _within(found)
    if what_texts:
        return Finding(Personal.identifies, f"its texts have {what_texts} in them")
    if PROTECTED.search(name) or is_age(name):
        return Finding(Personal.protected, "its name is that of a protected attribute")
    return Finding(Personal.none, "")


def _can_be(found: Profile, named: Named) -> bool:
    """Whether the values can be what the name says: `PhoneService` has yes and no."""
    values = found.values[:SAMPLE]
    if {value.lower() for value in values} <= YES_NO:
        return False
    if found.is_number and not named.may_be_small and found.high is not None:
        are_whole = bool(found.written) or all(float(value).is_integer() for value in values)
        return found.high >= LEAST_NUMBER and are_whole
    return not found.is_category or _share(values, _holds(named.few)) >= SHARE


def _by_values(found: Profile, name: str) -> str:
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
    if _share(values, _is_ip_6) >= SHARE:
        return "address of a device"
    are_many = found.distinct > MANY and (found.distinct * 2 > found.present or name == "name")
    return "name of a person" if are_many and _share(values, is_full_name) >= SHARE else ""


def _within(found: Profile) -> str:
    """What names somebody within the texts of a column."""
    texts = [text for text in found.values[:TEXTS] if " " in text and any(map(str.isalpha, text))]
    if found.is_number or not texts:
        return ""
    for pattern, what in WITHIN:
        count = sum(map(_holds(pattern), texts))
        if count >= max(LEAST_WITHIN, SHARE_WITHIN * len(texts)):
            return what
    return ""


def _is_ip_6(text: str) -> bool:
    try:
        return text.count(":") > 1 and ip_address(text.partition("/")[0]).version == 6
    except ValueError:
        return False


def _holds(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.search(value) is not None


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
