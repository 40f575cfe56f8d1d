"""Columns: what becomes of each one of a file, and why.

From its profile and what it says of the outcome; no column is asked about.
"""

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from finance_assets.scaffold.naming import Names, slug, worded
from finance_assets.scaffold.personal import Personal, personal
from finance_assets.scaffold.plan import Feature, PlannedColumn, Role, Rule
from finance_assets.scaffold.profile import Profile
from finance_assets.scaffold.rules import known_rule, number_rule, range_rule
from finance_assets.scaffold.sql import number_sql, quoted
from finance_assets.scaffold.suspects import gives_away, told_by_words

if TYPE_CHECKING:
    import pandas as pd

# So many frequent words of a column become features of their own.
MAX_WORDS, MAX_GROUPS = 8, 8
# A column that differs in nearly every row tells rows apart, and nothing of them.
ID_SHARE = 0.95
# What is named like this tells things apart, however often each occurs.
CALLED_ID = re.compile(r"(^|_)(id|uuid|guid)$|^id_")
# The same, unless the numbers are so small that they count: the customer's fifth order.
CALLED_NUMBER = re.compile(
    r"(^|_)(loan|order|customer|cust|client|kunden?|invoice|contract|policy|claim|shipment|tracking"
    r"|serial|article|material|member|ticket)_?(no|nr|nbr|num|number|nummer)$"
    r"|^(kunnr|lifnr|vbeln|matnr|belnr)$"
)
COUNTS = 1000
ID_NAME = re.compile(r"(^|_)(id|ids|no|nr|num|number|uuid|guid|key|code|ref|row|index|hash)(_|$)")
AGES = (
    "CASE WHEN {0} < 25 THEN 'under 25' WHEN {0} < 45 THEN '25 to 44' WHEN {0} < 60 THEN"
    " '45 to 59' WHEN {0} >= 60 THEN '60 and over' ELSE 'not known' END"
)


@dataclass(frozen=True)
class Seen:
    """A column as it was seen: its name of ours, its profile, its texts and the outcome.

    `names` gives names away for what is made of it.
    """

    name: str
    names: Names
    found: Profile
    texts: "pd.Series[str]"
    outcome: "pd.Series[float]"
    task: str


def spoken(name: str) -> str:
    """A name as words."""
    words = name.replace("_", " ")
    return words[0].upper() + words[1:]


def described(found: Profile) -> str:
    """What a person reads of a column in the data dictionary."""
    text = spoken(slug(found.name) or "a column without a name")
    if found.is_category and 0 < found.distinct <= MAX_WORDS:
        return f"{text}: {', '.join(sorted(found.values))}"
    return f"{text} ({found.written})" if found.written else text


def planned(seen: Seen) -> PlannedColumn:
    """What becomes of a column that is neither key, time nor label."""
    found = seen.found
    if found.distinct == 0:
        return _column(seen, Role.bronze_only, "it is empty")
    if found.distinct == 1 and not found.missing:
        return _column(seen, Role.bronze_only, f"it is always {found.values[0]!r}")
    who = personal(found)
    if who.kind is Personal.identifies:
        return _column(seen, Role.bronze_only, f"personal data: {who.reason}", is_pii=True)
    leak = _leak(seen)
    if leak:
        is_pii = who.kind is not Personal.none
        kept = _column(seen, Role.kept, f"{leak}: a leak", is_pii=is_pii)
        return replace(kept, is_leak=True)
    if who.kind is Personal.protected:
        return _protected(seen, who.reason)
    if found.is_time:
        reason = "a time beside the row's own may lie after it; derive a feature that does not"
        return _column(seen, Role.kept, reason)
    told_apart = _id(found)
    if told_apart:
        return _column(seen, Role.kept, told_apart)
    if found.is_number:
        return _number(seen)
    if found.type == "boolean" or found.distinct * 10 <= found.present:
        return _words(seen)
    return _column(seen, Role.kept, f"text of {found.distinct} different values")


def _column(
    seen: Seen,
    role: Role,
    reason: str,
    *,
    is_pii: bool = False,
    features: tuple[Feature, ...] = (),
    rules: tuple[Rule, ...] = (),
    groups: str = "",
) -> PlannedColumn:
    return delivered(seen.name, seen.found, role, reason, is_pii, features, rules, groups)


def delivered(
    name: str,
    found: Profile,
    role: Role,
    reason: str,
    is_pii: bool = False,
    features: tuple[Feature, ...] = (),
    rules: tuple[Rule, ...] = (),
    groups: str = "",
) -> PlannedColumn:
    """A column with the typed form that its profile asks for."""
    tokens = (*found.tokens, *found.sentinels)
    return PlannedColumn(
        name,
        found.name,
        found.type,
        described(found),
        role,
        reason,
        is_nullable=found.missing > 0,
        is_pii=is_pii,
        null_tokens=tokens,
        features=features,
        rules=rules,
        groups=groups,
    )


def _leak(seen: Seen) -> str:
    found = seen.found
    known = seen.texts.mask(seen.texts.isin(found.tokens))
    if found.is_number:
        values = found.numbers(seen.texts)
    elif found.is_category or found.type == "boolean" or found.distinct * 10 <= found.present:
        values = told_by_words(known, seen.outcome)
    else:
        # Whether there is anything at all can be the outcome: the date on which it came.
        values = known.notna().astype("float64")
    return gives_away(values, seen.outcome, seen.task)


def _id(found: Profile) -> str:
    """Why a column tells things apart and says nothing of them; empty if it does."""
    if found.is_unread:
        return found.doubt
    if _is_unique(found):
        return "it differs in nearly every row, as a number of it does"
    name, are_counts = slug(found.name), found.high is not None and found.high < COUNTS
    is_called = CALLED_ID.search(name) or (CALLED_NUMBER.search(name) and not are_counts)
    if is_called and not found.is_category:
        return "its name is that of a number of something: no amount, and new ones will come"
    return ""


def _is_unique(found: Profile) -> bool:
    if found.present < 50 or found.distinct < ID_SHARE * found.present or found.written:
        return False
    is_text = found.type == "string"
    is_whole = found.type in ("int", "bigint")
    steps = found.high is not None and found.low is not None
    dense = steps and (found.high or 0) - (found.low or 0) < 1.5 * found.present
    return is_text or (is_whole and (dense or bool(ID_NAME.search(slug(found.name)))))


def _protected(seen: Seen, reason: str) -> PlannedColumn:
    """No feature: groups are compared by it."""
    found, name = seen.found, seen.name
    why = f"{reason}: not a feature, the fairness criterion compares by it"
    if found.is_number and not found.written and found.distinct > MAX_GROUPS:
        if "age" in slug(found.name).split("_") or "alter" in slug(found.name):
            rules, ages = range_rule(name, found), AGES.format(name)
            return _column(seen, Role.protected, why, is_pii=True, groups=ages, rules=rules)
        return _column(seen, Role.kept, f"{reason}, with too many values to compare", is_pii=True)
    if found.distinct > MAX_GROUPS:
        return _column(seen, Role.kept, f"{reason}, with too many values to compare", is_pii=True)
    groups = f"coalesce(cast({name} AS string), 'not known')" if found.missing else name
    if found.type != "string" and not found.missing:
        groups = f"cast({name} AS string)"
    return _column(seen, Role.protected, why, is_pii=True, groups=groups)


def _number(seen: Seen) -> PlannedColumn:
    found, name = seen.found, seen.name
    feature = Feature(
        seen.names.take(name, after="_number") if found.written else name,
        number_sql(name, found),
        f"{described(found)}, as a number" if found.written else described(found),
        column=name,
        is_passed=not found.written,
    )
    said = [f"numbers from {found.low:g} to {found.high:g}"]
    if found.written:
        said = [f"{found.written} from {found.low:g} to {found.high:g}, read in the features"]
    said += [f"{word}: a feature of its own" for word in found.words]
    if found.sentinels:
        said.append(f"{', '.join(sorted(found.sentinels))} stand for a missing value")
    said += _tokens(found)
    if found.unreadable:
        said.append(f"{found.unreadable} rows that are no numbers will be rejected")
    words = tuple(_is_word(seen, word) for word in found.words)
    rules = number_rule(name, found)
    return _column(seen, Role.feature, "; ".join(said), features=(feature, *words), rules=rules)


def _is_word(seen: Seen, word: str) -> Feature:
    """Whether a row has a word."""
    name = seen.name
    sql = f"CASE WHEN {name} = {quoted(word)} THEN 1.0D WHEN {name} IS NOT NULL THEN 0.0D END"
    is_word = seen.names.take(name, after=f"_is_{worded(word) or 'other'}")
    return Feature(is_word, sql, f"1 if {name} is {word!r}, else 0", name, word=word)


def _tokens(found: Profile) -> list[str]:
    return [f"{', '.join(found.tokens)}: missing"] if found.tokens else []


def _words(seen: Seen) -> PlannedColumn:
    found, name = seen.found, seen.name
    if found.type == "boolean":
        feature = Feature(name, f"cast({name} AS double)", described(found), name, is_passed=True)
        said = "; ".join(["yes or no", *_tokens(found)])
        return _column(seen, Role.feature, said, features=(feature,))
    frequent = found.values[: 1 if found.distinct == 2 else MAX_WORDS]
    features = tuple(_is_word(seen, value) for value in frequent)
    said = f"{found.distinct} different words"
    if found.distinct > len(frequent) and found.distinct != 2:
        said += f", of which the {len(frequent)} most frequent are told apart"
    said = "; ".join([said, *_tokens(found)])
    return _column(seen, Role.feature, said, features=features, rules=known_rule(name, found))
