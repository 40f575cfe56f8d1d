"""Planning: from a request and the rows of its files to a plan, every decision with its reason."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from finance_assets.lakehouse.sources.parquet_types import spark_type
from finance_assets.scaffold.alike import alike
from finance_assets.scaffold.columns import Seen, delivered, planned, spoken
from finance_assets.scaffold.decisions import decisions, doubts
from finance_assets.scaffold.deliveries import Split, split_by_order, split_by_time
from finance_assets.scaffold.features import choose_features, label_before
from finance_assets.scaffold.given import Given
from finance_assets.scaffold.holdout import holdout_of
from finance_assets.scaffold.naming import Names, entity_name
from finance_assets.scaffold.outcome import Outcome, outcome_of
from finance_assets.scaffold.personal import Personal, personal
from finance_assets.scaffold.plan import Feature, Plan, PlannedColumn, Role, Rule
from finance_assets.scaffold.profile import Profile, profile, texts_of
from finance_assets.scaffold.request import CannotScaffoldError, Request
from finance_assets.scaffold.rules import number_rule
from finance_assets.scaffold.sql import label_sql, label_type

if TYPE_CHECKING:
    import pandas as pd

ROW_NUMBER, DELIVERED_FOR = "row_number", "delivered_for"
# The share of a partition's rows that may be rejected, where none was seen that has to be.
QUARANTINE = 0.01


def make_plan(request: Request, given: Given, package: str, tables: Iterable[str]) -> Plan:
    """Everything that is decided about the use case.

    Args:
        request: what was asked for.
        given: the rows.
        package: the import path that the use case will have.
        tables: those of the use cases that there are, whose names are taken.

    Raises:
        CannotScaffoldError: no use case can be made of this; the message says why.
    """
    looked = _look(request, given)
    request, given, outcome, split = looked.request, looked.given, looked.outcome, looked.split
    columns = _columns(looked)
    before = label_before(outcome, looked.taken) if outcome.task == "regression" else None
    features, naive, notes = choose_features(
        given, columns, looked.profiles, looked.values, split, outcome.task, before, looked.taken
    )
    columns = _without_features(columns, features)
    columns = _as_typed(columns, given) if given.format.is_typed else columns
    label = looked.header(request.label)
    plan = Plan(
        request=request,
        entity=entity_name(request.name, request.files[0].name.split(".")[0], tables),
        package=package,
        columns=columns,
        outcome=outcome,
        label_sql=label_sql(outcome, looked.names[label], looked.profiles[label]),
        split=split,
        partition=_partition_column(looked),
        features=features,
        naive=naive,
        before=before,
        rows=given.rows.num_rows,
        written=split.sizes,
        format=given.format,
        decisions=(),
        quarantine=looked.quarantine,
        numbered=looked.is_numbered,
        alike=alike(given, split, request.time),
    )
    count, holdout = holdout_of(outcome, request.label_lag, split, looked.values)
    said = (*decisions(plan, given), *doubts(columns, looked.profiles), holdout, *notes)
    return replace(plan, holdout=count, decisions=said)


def _partition_column(looked: "_Looked") -> str:
    """The column that names a row's partition: the time itself, or one that is added."""
    request = looked.request
    if request.time is not None and request.has_time and looked.split.is_named:
        return looked.names[looked.header(request.time)]
    return DELIVERED_FOR


@dataclass(frozen=True)
class _Looked:
    """What was seen of the rows: every column's profile and name, the outcome, the partitions.

    `taken` are the names that are given away, of columns and of what is made of them.
    """

    request: Request
    given: Given
    is_numbered: bool
    profiles: dict[str, Profile]
    names: dict[str, str]
    taken: Names
    outcome: Outcome
    values: "pd.Series[float]"
    split: Split

    def header(self, name: str) -> str:
        """A column's name as it stands in the file, with its blanks."""
        return self.given.header[self.given.place(name)]

    @property
    def quarantine(self) -> float:
        """The share of a partition's rows that may be rejected: several times what was seen."""
        rejected = sum(p.unreadable for p in self.profiles.values()) / self.given.rows.num_rows
        return float(round(max(QUARANTINE, min(1.0, 4 * rejected)), 2))


def _look(request: Request, given: Given) -> _Looked:
    is_numbered = not request.key
    if is_numbered:
        request, given = _numbered(request, given)
    profiles = {name: profile(name, given.rows.column(i)) for i, name in enumerate(given.header)}
    taken = Names()
    names = dict(zip(given.header, taken.columns(given.header), strict=True))
    label = given.header[given.place(request.label)]
    outcome = outcome_of(request, profiles[label], names[label], taken)
    values = outcome.values(texts_of(given.column(request.label)), profiles[label])
    if request.has_time:
        split = split_by_time(request, given, outcome.task)
    else:
        split = split_by_order(request, given, values, outcome.task)
    return _Looked(request, given, is_numbered, profiles, names, taken, outcome, values, split)


def delivered_rows(request: Request, given: Given) -> Given:
    """The rows as they go into deliveries: numbered, where they have no key."""
    return given if request.key else _numbered(request, given)[1]


def _numbered(request: Request, given: Given) -> tuple[Request, Given]:
    """Rows without a key get a number, in their order."""
    taken = [name.strip() for name in given.header]
    name = next(n for n in (ROW_NUMBER, "numbered_row", "row_number_added") if n not in taken)
    numbers = pa.array(range(1, given.rows.num_rows + 1))
    column = numbers if given.format.is_typed else numbers.cast(pa.string())
    rows = given.rows.add_column(0, name, column)
    return replace(request, key=(name,)), replace(given, rows=rows)


def _columns(looked: _Looked) -> tuple[PlannedColumn, ...]:
    request, given, outcome = looked.request, looked.given, looked.outcome
    keys = {looked.header(name) for name in request.key}
    time = looked.header(request.time) if request.time else ""
    label = looked.header(request.label)
    found = []
    for position, header in enumerate(given.header):
        one, name = looked.profiles[header], looked.names[header]
        if header == time and request.has_time:
            found.append(_time(one, name, looked.split, header in keys))
        elif header in keys:
            found.append(_key(one, name))
        elif header == label:
            found.append(_label(one, name, outcome))
        else:
            texts = texts_of(given.rows.column(position))
            seen = Seen(name, looked.taken, one, texts, looked.values, outcome.task)
            found.append(planned(seen))
    if not any(column.features for column in found) and outcome.task == "binary":
        raise CannotScaffoldError(
            "no column is left that could be a feature",
            where=", ".join(f"{c.at_source}: {c.reason}" for c in found),
            remedy="a file with columns that say something of the label beforehand",
        )
    return tuple(found)


def _key(found: Profile, name: str) -> PlannedColumn:
    who = personal(found)
    is_pii = who.kind is not Personal.none
    # Whatever a token or a sentinel would be elsewhere, it tells rows apart here.
    whole = found.type in ("int", "bigint")
    plain = Profile(
        found.name,
        found.rows,
        "bigint" if whole else found.type if found.is_typed else "string",
        found.counts,
        is_typed=found.is_typed,
    )
    if whole and (found.tokens or found.sentinels or found.unreadable) and not found.is_typed:
        plain = replace(plain, type="string" if found.tokens or found.unreadable else "bigint")
    column = delivered(name, plain, Role.key, "asked for" if name != ROW_NUMBER else "added")
    return replace(column, is_pii=is_pii, is_nullable=False)


def _time(found: Profile, name: str, split: Split, is_key: bool) -> PlannedColumn:
    assert split.times is not None
    said = f"{split.times.days.format}; the row's {split.frequency} partition"
    is_plain = split.is_named or (not found.is_typed and found.type not in ("date", "timestamp"))
    typed = replace(found, type="string") if is_plain and not found.is_typed else found
    typed = replace(typed, tokens=(), sentinels=(), missing=0)
    role = Role.key if is_key else Role.time
    rules: tuple[Rule, ...] = ()
    if typed.type == "date":
        condition = f"{split.frequency.sql_named(name)} = {DELIVERED_FOR}"
        reason = f"A delivery holds the rows of its own {split.frequency} partition."
        rules = (Rule(f"{name}_in_partition", condition, reason),)
    column = delivered(name, typed, role, said, rules=rules)
    return replace(column, is_nullable=False, description=spoken(name))


def _label(found: Profile, name: str, outcome: Outcome) -> PlannedColumn:
    kind = "boolean" if outcome.is_plain else label_type(found)
    codes, reason = (*found.tokens, *found.sentinels), outcome.reason
    if codes:
        reason += f"; of rows with {', '.join(codes)} it is not known"
    # An amount that is written in another way would be another amount.
    rules = number_rule(name, found) if found.written and outcome.task == "regression" else ()
    column = delivered(name, replace(found, type=kind), Role.label, reason, rules=rules)
    # Its absence is no mistake: it may become known later.
    return replace(column, is_nullable=True)


def _without_features(
    columns: tuple[PlannedColumn, ...], features: Iterable[Feature]
) -> tuple[PlannedColumn, ...]:
    """Columns of whose features none was chosen are silver only."""
    chosen = {feature.column for feature in features}
    found = []
    for column in columns:
        if column.role is Role.feature and column.name not in chosen:
            reason = f"{column.reason}; others say more of the label"
            column = replace(column, role=Role.kept, features=(), reason=reason)
        found.append(column)
    return tuple(found)


def _as_typed(columns: tuple[PlannedColumn, ...], given: Given) -> tuple[PlannedColumn, ...]:
    """With the types that the file has, which may be wider than what stands in it."""
    kinds = {field.name: spark_type(field.type) for field in given.rows.schema}
    return tuple(replace(c, delivered_type=kinds[c.at_source]) for c in columns)
