"""Foresight: what looks ahead does not load.

Walks the declared lineage from every feature down to the deliveries. Nothing is read: what the
tables hold is the leakage criterion's business.
"""

from collections.abc import Iterator

from finance_assets.errors import ModelError
from finance_assets.lakehouse.contract import Column
from finance_assets.ml.spec import ModelSpec
from finance_assets.step.declaration import Input, Step

# A column of a table, and how many partitions after the feature's own the latest one lies.
Place = tuple[str, str, int]


def require_no_foresight(steps: tuple[Step, ...], spec: ModelSpec) -> None:
    """Refuse features that could know the outcome.

    That no input reads a later partition is every step's rule (use_case_rules.py). Beyond it, two
    things are refused in every table that the features rest on: a column of the features table,
    or under one, whose declared lineage is missing or names what the step does not read; lineage
    that reaches the labels, or a column that the target is made of in a partition in which the
    outcome is known.

    The very column that the target is made of is a fine feature as long as its partition comes
    before the outcome's: this month's payment status, when the outcome is next month's.

    Raises:
        ModelError: one of these; the message names table and column.
    """
    by_table = {step.key: step for step in steps}
    for contract, what in ((spec.features, "features"), (spec.labels, "labels")):
        if contract.table not in by_table:
            raise ModelError(
                f"no step makes the {what} of {spec.name}",
                where=contract.table,
                remedy="declare the step that makes this table among the use case's steps",
            )
    known_at: dict[tuple[str, str], int] = {}
    # What says which row it is tells nothing of the outcome, though the target be looked up by it.
    identity = set(_identity(by_table, spec))
    for table, column, offset in _lineage(by_table, (spec.labels.table, spec.target, 0)):
        if table != spec.labels.table and (table, column) not in identity:
            latest = known_at.get((table, column), offset)
            known_at[table, column] = max(latest, offset)
    for feature in spec.features.column_names:
        for table, column, offset in _lineage(by_table, (spec.features.table, feature, 0)):
            is_label = table == spec.labels.table
            known = known_at.get((table, column))
            if is_label or (known is not None and offset >= known + spec.label_lag):
                raise ModelError(
                    f"feature {feature} of {spec.name} knows the outcome: it is made of "
                    f"{table}.{column}{_ahead(offset)}, "
                    + ("a column of the labels" if is_label else f"as {spec.target} is"),
                    where=spec.features.table,
                    remedy="derive it from partitions before the one in which the outcome becomes "
                    "known, and from the tables under the labels, not from the labels",
                )


def _lineage(by_table: dict[str, Step], start: Place) -> Iterator[Place]:
    """The column itself and everything it is made of, with the latest partition of each."""
    seen: set[Place] = set()
    waiting = [start]
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        yield place
        table, name, offset = place
        step = by_table[table]
        if not step.inputs:
            # A delivery: nothing lies under it.
            continue
        column = _column(step, name)
        for source in column.derived_from:
            upstream, _, inner = source.rpartition(".")
            item = _input(step, upstream, name)
            waiting.append((upstream, inner, offset + item.last_offset))


def _identity(by_table: dict[str, Step], spec: ModelSpec) -> Iterator[tuple[str, str]]:
    """The columns that the labels' key is taken over from, as far down as nothing else is."""
    for name in spec.key:
        table, at = spec.labels.table, name
        while table in by_table and by_table[table].inputs:
            sources = _column(by_table[table], at).derived_from
            alike = [source for source in sources if source.endswith(f".{at}")]
            if len(alike or sources) != 1:
                break
            table, _, at = (alike or sources)[0].rpartition(".")
            yield table, at


def _column(step: Step, name: str) -> Column:
    for column in step.contract.columns:
        if column.name == name:
            if column.derived_from:
                return column
            raise ModelError(
                f"nothing says what {step.key}.{name} is made of, so nothing says that it does "
                "not look ahead",
                where=step.key,
                remedy="declare the column's `derived_from`, or take it over with `passed_on`",
            )
    raise ModelError(
        f"lineage names a column that does not exist: {step.key}.{name}",
        where=step.key,
        remedy="name columns as `<layer>.<entity>.<column>`, spelled as in their contract",
    )


def _input(step: Step, table: str, name: str) -> Input:
    """The input that a column's source comes from; of several, the one that reads furthest."""
    found = [item for item in step.inputs if item.key == table]
    if not found:
        raise ModelError(
            f"{step.key}.{name} is declared to be made of {table}, which its step does not read",
            where=step.key,
            remedy="correct `derived_from`, or add the table to the step's inputs",
        )
    return max(found, key=lambda item: item.last_offset)


def _ahead(offset: int) -> str:
    return f" of {-offset} partitions before" if offset < 0 else " of the same partition"
