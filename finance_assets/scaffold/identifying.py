"""Identifying: what names of columns, and what values, tell of a person. Words and patterns only.

What is made of them belongs to personal.py.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from finance_assets.scaffold.people import PERSONS


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
        _words("street", "address", "addr", "strasse?", "anschrift", "address_?line_?\\d"),
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
        re.compile(
            "^(cpf|aadhaar|nino|bsn|ahv|steuer|personnummer|pesel|svnr|sozialversicherungsnummer|curp)"
            "(_?(id|no|nr|num|number|nummer))?$"
        ),
        "number of an identity paper",
        DIGITS,
    ),
    Named(
        _words("iban", "(credit_?|debit_?)?card_?(no|num|number)", "cc_?(no|num|number)", "pan"),
        "number of a card or an account",
        DIGITS,
        may_be_small=True,
    ),
    Named(
        _words("(account|acct)_?(no|nr|nbr|num|number)", "konto_?(nr|nummer)", "sort_?code"),
        "number of a card or an account",
        DIGITS,
    ),
    Named(
        _words("imsi", "imei", "(calling|called)_?(party|number)"),
        "number of a telephone",
        DIGITS,
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
        _words(
            *("dob", "birth_?(date|day)?", "date_?of_?birth", "geburts?(datum|tag)"),
            *("geb_?dat(um)?", "gbdat"),
        ),
        "date of birth",
        DIGIT,
        may_be_small=True,
    ),
    Named(
        _words("lat", "latitude", "lon", "lng", "longitude", "gps_?[xy]"),
        "place",
        DIGIT,
        may_be_small=True,
    ),
)
PROTECTED = _words(
    *("sex", "sexe", "sexo", "gender", "geschl(echt)?", "gesch"),
    *("race", "ethnic(ity)?", "nationality", "citizenship", "nationalitaet"),
    "staatsangehoerigkeit",
    *("religion", "religious", "konfession", "salutation", "anrede", "foreign_?worker"),
    *("marital(_?status)?", "married", "familienstand", "pregnan(t|cy)", "sexual_?orientation"),
    *("disabil(ity|ed)", "senior_?citizen", "yob", "birth_?year", "year_?of_?birth"),
    *("geburtsjahr", "lebensalter", "cust(omer)?age"),
)
IS_MALE = re.compile("^(is_)?(fe)?male$")
# Columns of whoever did something, or for whom: full names there are persons', however often each
# comes again.
OF_PERSONS = re.compile(
    rf"(^|_)({'|'.join(PERSONS)}|beneficiary|payee|courier|ansprechpartner|sales_?person|cust_?nm"
    r"|(account|relationship|case)_?manager|cust_?name|kunden_?name)$|^name(_?1)?$"
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


@dataclass(frozen=True)
class Within:
    """What a text may have in it. `share` of the texts is no accident. `is_one` says of what was
    found whether it is one. Where `is_plain`, a few kinds of texts may have it, too.
    """

    pattern: re.Pattern[str]
    what: str
    share: float = 0.01
    is_one: Callable[[str], bool] = bool
    is_plain: bool = False

    def __call__(self, text: str) -> bool:
        return any(self.is_one(found[0]) for found in self.pattern.finditer(text))


def is_card(text: str) -> bool:
    """Whether the digits of a text keep Luhn's sum, as those of card numbers do."""
    digits = [int(c) for c in text if c.isdigit()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = [d * 2 - 9 * (d > 4) if i % 2 else d for i, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def is_iban(text: str) -> bool:
    """Whether the two digits behind its country check the number of an account (ISO 7064)."""
    *head, rest = re.split("(?<=^....)", text.replace(" ", ""))
    return int("".join(str(int(c, 36)) for c in [*rest, *"".join(head)])) % 97 == 1


# Within a text, where a number of so many digits alone says little.
WITHIN = (
    Within(
        re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+\.[A-Za-z]{2,}"), "mail addresses", is_plain=True
    ),
    Within(
        re.compile(
            r"(?<![\w+])\+\d[\d ()/.-]{7,16}\d"
            r"|\b(tel|telefon|phone|handy|fax)\b\W{0,3}(\w{2,6}\W{1,2})?"
            r"[\d(][\d ()/.-]{5,}\d",
            re.IGNORECASE,
        ),
        "phone numbers",
        is_plain=True,
    ),
    Within(
        re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"),
        "numbers of accounts",
        # One in 97 of any is right by chance.
        share=0.05,
        is_one=is_iban,
    ),
    Within(
        re.compile(
            r"\b(?:4\d\d\d|5[1-5]\d\d|2[2-7]\d\d|6\d\d\d)(?:[ -]?\d\d\d\d){3}\b"
            r"|\b3[47]\d\d[ -]?\d{6}[ -]?\d{5}\b"
        ),
        "numbers of cards",
        share=0.1,
        is_one=is_card,
    ),
    Within(re.compile(r"\b\d\d\d-\d\d-\d\d\d\d\b"), "numbers of identity papers"),
    # 1.2.0.3 is a version.
    Within(
        re.compile(r"(?<![\d.v])[1-9]\d{1,2}(?:\.\d{1,3}){3}(?![\d.])"),
        "addresses of devices",
    ),
    # Lake Shore Dr North is none.
    Within(
        re.compile(r"\b(?:Mrs?|Ms|Herrn?|Frau|(?<![^\W\d_] )Dr)\b\.? [^\W\d_a-z]\w+"),
        "names of people",
        share=0.1,
    ),
)
