"""The outcome: which task the label asks for, and which of its values is the event."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finance_assets.ml.tasks.binary import defaults as binary_defaults
from finance_assets.ml.tasks.regression import defaults as regression_defaults
from finance_assets.scaffold.naming import Names, worded
from finance_assets.scaffold.numerals import Numeral
from finance_assets.scaffold.profile import FALSE, TRUE, Profile
from finance_assets.scaffold.request import CannotScaffoldError, Request
from finance_assets.scaffold.vocabulary import words

if TYPE_CHECKING:
    import pandas as pd

EVENTS, QUIET = words("events"), words("quiet")
# Fewer different numbers are rather classes than amounts.
MIN_AMOUNTS = 15
# `1-bad`, `a) bad`; `x-ray` is a word.
CODE = re.compile(r"^(?:[0-9]\s*[-:.)=]|[a-z](?:\s+-|\s*[:.)=]))\s*(?=[^\W\d_]{2})")


@dataclass(frozen=True)
class Outcome:
    """The label: its task and, of a binary one, its event.

    `positive` are the texts of the event, `others` those of its absence. `is_plain`: the house
    reads the texts as true and false by itself, the event being true.
    """

    task: str
    reason: str
    target: str
    positive: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    is_plain: bool = False
    warning: str = ""

    def values(self, texts: "pd.Series[str]", found: Profile) -> "pd.Series[float]":
        """The label of each row as a number; NaN where it is not known."""
        if self.task == "regression":
            return found.numbers(texts)
        known = texts.isin([*self.positive, *self.others])
        return texts.isin(list(self.positive)).astype("float64").where(known)


def outcome_of(request: Request, found: Profile, name: str, names: Names) -> Outcome:
    """What the label asks for; `name` is ours of its column, `names` gives others away.

    Raises:
        CannotScaffoldError: one class only, several, too few rows, or no numbers to forecast.
    """
    if found.odd or found.unreadable:
        shown = ", ".join(map(repr, found.odd[:3])) or f"{found.unreadable} infinite values"
        raise _refused(
            request,
            f"holds {shown} beside numbers: nobody can say what is meant",
            "mend them, or leave the cells empty where nothing is known",
        )
    if found.distinct < 2:
        raise _one_kind(request, found)
    if found.is_unread:
        raise _refused(request, found.doubt, "numbers that are all written in one usual way")
    if request.task == "regression" or (request.task is None and _is_amount(request, found)):
        return _regression(request, found, name, names)
    return _binary(request, found, name, names)


def _one_kind(request: Request, found: Profile) -> CannotScaffoldError:
    """Nothing to tell apart: a cell without a value may be a no, or not known yet."""
    shown = f"only {found.values[0]!r}" if found.distinct else "no value"
    remedy = "another label"
    if found.distinct and found.missing:
        codes = ", ".join(map(repr, (*found.tokens, *found.sentinels)))
        shown += f" beside {found.missing} rows of {codes or 'blanks'}, which are not a no"
        remedy = "a value of its own, such as no, in the rows where it did not happen"
    return _refused(request, f"holds {shown}: there is nothing to tell apart", remedy)


def _is_amount(request: Request, found: Profile) -> bool:
    is_amount = found.is_number and (found.distinct >= MIN_AMOUNTS)
    return is_amount and request.positive is None


def _regression(request: Request, found: Profile, name: str, names: Names) -> Outcome:
    if not found.is_number:
        raise _refused(
            request,
            f"holds no numbers but {_shown(found)}",
            "a column of numbers, or --task binary",
        )
    if found.is_open:
        raise _refused(
            request,
            f"holds numbers that can be read in two ways: {found.doubt}",
            "numbers without marks between thousands, and with a dot before decimals",
        )
    least = regression_defaults.LEAST_ROWS
    if found.present < least:
        raise _refused(
            request,
            f"is known of {found.present} rows: too few to learn from and to measure on",
            f"{least} or more",
        )
    why = "asked for" if request.task else f"{found.distinct} different numbers"
    target = names.take(name, after="_amount") if found.written else name
    return Outcome("regression", why, target)


def _binary(request: Request, found: Profile, name: str, names: Names) -> Outcome:
    groups = _same_values(found)
    if request.positive is None and len(groups) > 2:
        raise _refused(
            request,
            f"holds {len(groups)} values where a yes or no is needed: {_shown(found)}",
            "--positive VALUE (all others then count as its absence), --task regression for "
            "numbers, or a label with two values",
        )
    if request.positive is None:
        event, why = _event(groups, found)
    else:
        event, why = _named(request.positive, found, groups)
    positive = event[0]
    others = tuple(text for group in groups.values() if group is not event for text in group)
    _require_enough(request, found, event, others)
    warning = ""
    if len(groups) > 2:
        warning = f"counted as not {positive!r}: {', '.join(others)}. Is that so for each of them?"
    lowered = ({t.lower() for t in event}, {t.lower() for t in others})
    is_plain = lowered[0] <= TRUE | {"1"} and lowered[1] <= FALSE | {"0"}
    is_plain = is_plain and (not found.is_typed or found.type == "boolean")
    is_event = f"_is_{worded(positive) or 'positive'}"
    target = name if is_plain else names.take(name, after=is_event)
    return Outcome("binary", why, target, event, others, is_plain, warning)


def _same_values(found: Profile) -> dict[object, tuple[str, ...]]:
    """The values, those together that differ in case or white space only, or write one number."""
    groups: dict[object, tuple[str, ...]] = {}
    for text, same in zip(found.values, _meant(found.values, found), strict=True):
        groups[same] = (*groups.get(same, ()), text)
    return groups


def _meant(values: Sequence[str], found: Profile) -> list[object]:
    """What each value says, however it is written: a number, or a word."""
    import pandas as pd

    texts = pd.Series(values, dtype="object").str.strip()
    numbers = (found.written or Numeral()).numbers(texts)
    said = zip(texts.str.lower(), numbers, strict=True)
    return [word if math.isnan(number) else number for word, number in said]


def _named(
    positive: str, found: Profile, groups: dict[object, tuple[str, ...]]
) -> tuple[tuple[str, ...], str]:
    """The values of the event that was asked for.

    Raises:
        CannotScaffoldError: the label never is it.
    """
    [said] = _meant([positive], found)
    event = groups.get(said)
    if event is None:
        raise CannotScaffoldError(
            f"the label never is {positive.strip()!r}",
            where="--positive",
            remedy=f"one of: {', '.join(found.values[:20])}",
        )
    return event, "asked for"


def _event(groups: dict[object, tuple[str, ...]], found: Profile) -> tuple[tuple[str, ...], str]:
    """The values that are the event, and why: 1, a known word, else the rarer one."""
    (first, one), (second, other) = groups.items()
    score = _score(first) - _score(second)
    # 1 is the event beside 0 or -1; beside 2 it is a number like any other.
    are_numbers = isinstance(first, float) and isinstance(second, float)
    if score and (not are_numbers or {first, second} in ({1.0, 0.0}, {1.0, -1.0})):
        return (one if score > 0 else other), "its words say which of the two is the event"
    often = [int(found.counts[list(group)].sum()) for group in (one, other)]
    rarer = one if often[0] < often[1] else other
    return rarer, f"the rarer of the two values ({min(often)} of {sum(often)})"


def _score(said: object) -> int:
    """Whether a value says that something came (1), that it did not (-1), or neither."""
    # `1 - bad` is a code and its word.
    word = f"{said:g}" if isinstance(said, float) else CODE.sub("", str(said))
    return (word in EVENTS) - (word in QUIET)


def _require_enough(
    request: Request, found: Profile, event: tuple[str, ...], others: tuple[str, ...]
) -> None:
    least, of_each = binary_defaults.LEAST_ROWS, binary_defaults.LEAST_OF_A_CLASS
    rows = found.present
    fewest = min(int(found.counts[list(group)].sum()) for group in (event, others))
    if rows < least or fewest < of_each:
        raise _refused(
            request,
            f"is known of {rows} rows, {fewest} of them of the rarer kind: too few to learn from "
            "some and to measure on others",
            f"{least} rows or more, {of_each} of each kind",
        )


def _shown(found: Profile) -> str:
    more = f" and {found.distinct - 8} more" if found.distinct > 8 else ""
    return ", ".join(f"{v} ({found.counts[v]})" for v in found.values[:8]) + more


def _refused(request: Request, what: str, remedy: str) -> CannotScaffoldError:
    return CannotScaffoldError(f"{request.label} {what}", where="--label", remedy=remedy)
