"""Personal data: what names a person, and by what groups of persons are compared.

By the column's name and by its values; both can be wrong, so the report shows every finding.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

from finance_assets.scaffold.identifying import (
    IS_MALE,
    NAMED,
    OF_PERSONS,
    PROTECTED,
    VALUES,
    WITHIN,
    Named,
    is_card,
)
from finance_assets.scaffold.naming import slug
from finance_assets.scaffold.people import is_age, is_full_name
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


# Texts that are looked into, and how many of them must have something.
TEXTS, LEAST_WITHIN = 5000, 3
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
    if PROTECTED.search(name) or IS_MALE.search(name) or is_age(name):
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
    # Mail addresses beside phone numbers, as whoever was asked for a contact gave them.
    if _share(values, lambda v: any(pattern.fullmatch(v) for pattern, _ in VALUES)) >= SHARE:
        return "mail address, phone number or the like"
    if _share(values, _is_ip_6) >= SHARE:
        return "address of a device"
    is_often = found.distinct * 2 > found.present or OF_PERSONS.search(name) is not None
    are_many = found.distinct > MANY and is_often
    return "name of a person" if are_many and _share(values, is_full_name) >= SHARE else ""


def _within(found: Profile) -> str:
    """What names somebody within the texts of a column."""
    texts = [text for text in found.values[:TEXTS] if any(map(str.isalpha, text))]
    if found.is_number or not texts:
        return ""
    # One word may look like many a thing.
    several = [text for text in texts if any(mark in text for mark in ' ":')]
    are_kinds = found.is_category or found.is_time
    for one in WITHIN:
        least = max(LEAST_WITHIN, one.share * len(several))
        if (one.is_plain or not are_kinds) and sum(map(one, several)) >= least:
            return one.what
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
