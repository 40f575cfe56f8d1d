"""Identifying: what names of columns, and what values, tell of a person. Words and patterns only.

What is made of them belongs to personal.py.
"""

import re
from dataclasses import dataclass

from finance_assets.scaffold.people import PERSONS


def _words(*words: str) -> re.Pattern[str]:
    return re.compile(rf"(^|_)({'|'.join(words)})(_|$)")


@dataclass(frozen=True)
class Named:
    """Words of column names, in the form that slug() gives them, and what the column then is.

    Of `few` values that come again and again each has to look like this: kinds of telephones are
    no numbers of any. `is_strict`: so has each of many. `may_be_small`: a small number may be one,
    and not only count them.
    """

    words: re.Pattern[str]
    what: str
    few: re.Pattern[str]
    may_be_small: bool = False
    is_strict: bool = False


ANY, DIGIT, DIGITS = re.compile(""), re.compile(r"\d"), re.compile(r"(\d\D*){5}")
TWO_WORDS = re.compile(r"[^\W\d_]{2,}[ ,.]+[^\W\d_]")
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
        # Who is meant, and not what: `driver_rating` is no name.
        re.compile(
            rf"(^|_)({'|'.join(PERSONS)}|beneficiary|payee|courier|ansprechpartner|sales_?person"
            r"|(account|relationship|case)_?manager|name_?1|cust_?(nm|name)|kunden_?name)$"
        ),
        "name of a person",
        TWO_WORDS,
        is_strict=True,
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
            *("cpf", "aadhaar", "nino", "bsn", "ahv(_?(nr|no|number))?", "steuer_?(id|nr|nummer)"),
            *("personnummer", "pesel", "svnr", "sozialversicherungsnummer", "curp"),
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
        _words("(account|acct)_?(no|nr|nbr|num|number)", "konto_?(nr|nummer)?", "sort_?code"),
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
        _words("lat", "latitude", "lon", "lng", "longitude", "gps(_?[xy])?"),
        "place",
        DIGIT,
        may_be_small=True,
    ),
)
PROTECTED = _words(
    *("sex", "sexe", "sexo", "gender", "genero", "geschl(echt)?", "gesch", "(is_?)?(fe)?male"),
    *("race", "ethnic(ity)?", "nationality", "citizenship", "nationalitaet"),
    "staatsangehoerigkeit",
    *("religion", "religious", "konfession", "salutation", "anrede", "foreign_?worker"),
    *("marital(_?status)?", "married", "familienstand", "pregnan(t|cy)", "sexual_?orientation"),
    *("disabil(ity|ed)", "senior_?citizen", "yob", "birth_?year", "year_?of_?birth"),
    *("geburtsjahr", "lebensalter", "cust(omer)?age"),
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
    (
        re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,4})?\b"),
        "numbers of accounts",
    ),
    (re.compile(r"\b\d\d\d-\d\d-\d\d\d\d\b"), "numbers of identity papers"),
    (re.compile(r"(?<![\d.v])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"), "addresses of devices"),
    (re.compile(r"\b(?:Mrs?|Ms|Dr|Herrn?|Frau)\b\.? [^\W\d_a-z]\w+"), "names of people"),
)
