"""Decisions about a use case as a whole, in the order in which a person asks; «!» in front of what
deserves a look.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from finance_assets.scaffold.called import are_years
from finance_assets.scaffold.formats import spoken_of
from finance_assets.scaffold.given import Given
from finance_assets.scaffold.plan import PLAYED, Decision, Plan, PlannedColumn, Role
from finance_assets.scaffold.profile import Profile

LEFT_OUT = "left out: no table can hold the type; what comes next has to come without"


def decisions(plan: Plan, given: Given) -> Iterator[Decision]:
    """What was decided about the whole, in the order in which a person asks."""
    yield from _of_files(plan, given)
    yield from _of_deliveries(plan)
    yield from _of_task(plan)
    lag = plan.request.label_lag
    yield Decision(
        "label lag",
        str(lag),
        f"it is known {lag} partitions later" if lag else "the outcome comes with its row",
    )


def _of_files(plan: Plan, given: Given) -> Iterator[Decision]:
    names = ", ".join(path.name for path in plan.request.files)
    read = ", ".join(dict.fromkeys(map(spoken_of, given.read_as)))
    yield Decision("files", f"{names}: {plan.rows:,} rows", f"read as {read}")
    if set(given.read_as) != {given.format}:
        yield Decision(
            "files",
            f"deliveries are {spoken_of(plan.format)}",
            f"all are written in one way, in UTF-8; if the next ones come as {read}, declare that",
        )
    if given.skipped:
        yield Decision("files", f"{given.skipped} lines above the header", "left out")
    if given.malformed:
        yield Decision("!files", f"{given.malformed} lines are no records", "left out")
    if given.left_out:
        yield Decision("!files", ", ".join(given.left_out), LEFT_OUT)
    if given.totals:
        said = "left out: totals, or lines between two lists, are no records"
        yield Decision("!files", f"{given.totals} rows have neither time nor label", said)
    for note in given.notes:
        yield Decision("!files", note.choice, note.reason)
    if plan.split.repeated:
        choice = f"{plan.split.repeated} rows are there again, the same in every column"
        yield Decision("!files", choice, "they are delivered, and counted as duplicates")
    if plan.numbered:
        yield Decision(
            "!key",
            "the rows were numbered",
            "no --key was named; what comes next has to bring a key that stays the same",
        )


def _of_deliveries(plan: Plan) -> Iterator[Decision]:
    spread = Counter(plan.written).most_common()
    sizes = f"{spread[-1][1]:,} to {spread[0][1]:,} rows each"
    split = plan.split
    if plan.request.has_time:
        choice = f"{len(plan.written)} {split.frequency} partitions, {sizes}"
        written = split.times.days.format if split.times else ""
        yield Decision("deliveries", choice, f"{split.reason}; times are {written}")
        yield from _of_times(plan)
        if plan.played_from:
            said = f"`finance-assets run` makes what is before {plan.played_from} in one run"
            choice = f"the last {PLAYED} partitions are played one after the other"
            yield Decision("deliveries", choice, f"{len(split.calendar)} are many: {said}")
        if plan.alike:
            said = "taken as they are (`may_repeat`): was none of them delivered twice?"
            yield Decision("!deliveries", f"{plan.alike} have the same rows as another", said)
        if split.gaps:
            shown = ", ".join(split.gaps[:5]) + (" …" if len(split.gaps) > 5 else "")
            yield Decision("!deliveries", f"{len(split.gaps)} partitions have no rows", shown)
    else:
        yield Decision(
            "!deliveries",
            f"{len(plan.written)} made-up monthly partitions, {sizes}, in {split.order}",
            "without time nothing shows whether the model holds later: drift, stability and the "
            "holdout compare parts of one heap, and no schedule means anything",
        )


def _of_times(plan: Plan) -> Iterator[Decision]:
    request, times = plan.request, plan.split.times
    if times is None or request.time is None:
        return
    if times.days.doubt:
        yield Decision("!time", f"times are {times.days.format}", times.days.doubt)
    if times.clock:
        [column] = (c for c in plan.columns if c.at_source.strip() == request.time)
        said = "silver has it as it is written"
        if column.type == "timestamp":
            said = "silver has the instant in UTC; no rule compares the two"
        yield Decision("time", f"a day is that of {times.clock}", said)


def _of_task(plan: Plan) -> Iterator[Decision]:
    request, outcome = plan.request, plan.outcome
    [label] = plan.of[Role.label]
    if label.null_tokens:
        codes = ", ".join(map(repr, label.null_tokens))
        yield Decision("!label", f"of rows with {codes} it is not known", "is that what it means?")
    if outcome.task == "binary":
        choice = f"binary: the event is {request.label} = {outcome.positive[0]!r}"
        yield Decision("task", choice, outcome.reason)
        if outcome.warning:
            yield Decision("!task", request.label, outcome.warning)
    else:
        yield Decision("task", f"regression: how much {request.label} will be", outcome.reason)


def doubts(columns: Iterable[PlannedColumn], profiles: Mapping[str, Profile]) -> Iterator[Decision]:
    """What was not certain: columns that give the label away, and how numbers are read."""
    for column in columns:
        if column.is_leak:
            yield Decision("!leak", f"{column.at_source} is no feature", column.reason)
        doubt = profiles[column.at_source].doubt
        if doubt and column.role not in (Role.key, Role.time, Role.bronze_only):
            yield Decision("!numbers", column.at_source, doubt)
        if column.role is Role.kept and profiles[column.at_source].is_guessed_time:
            said = "its numbers count to days of our time: if they are amounts, make one of it"
            yield Decision("!time", f"{column.at_source} is no feature", said)
        if column.role is Role.feature and are_years(profiles[column.at_source]):
            said = "a year, taken for one that is known beforehand: can it lie after the row?"
            yield Decision("!year", f"{column.at_source} is a feature", said)
