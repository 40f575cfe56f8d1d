"""Lineage: which columns a column is made of, by the contracts' `derived_from`.

Also what that says about protected attributes and a model's features. Declarations only.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from finance_assets.lakehouse.contract import Contract
from finance_assets.ml.spec import ModelSpec, ProtectedAttribute


@dataclass(frozen=True)
class Exposure:
    """What a model sees of the protected attributes.

    `seen` names by attribute the features that are it, or share a column with it in their
    lineage; `unseen` the attributes for which every feature was traced and none does. `unknown`
    are features that could not be traced to a delivery: then no attribute counts as unseen.
    """

    seen: dict[str, tuple[str, ...]]
    unseen: tuple[str, ...]
    unknown: tuple[str, ...]


def exposure(spec: ModelSpec, features: Iterable[str]) -> Exposure:
    """What a model with these features sees of the protected attributes of its use case."""
    protected = spec.protected
    if protected is None:
        return Exposure({}, (), ())
    known = {c.table: c for c in (*spec.lineage, protected.source, spec.features)}
    made_of = {f: ancestors(known, f"{spec.features.table}.{f}") for f in features}
    unknown = tuple(
        f for f, found in made_of.items() if not all(_is_known(known, c) for c in found)
    )
    seen = {}
    for attribute in protected.attributes:
        own: set[str] = set()
        for column in columns_of(attribute, protected.source):
            own |= ancestors(known, f"{protected.source.table}.{column}")
        touching = tuple(f for f, found in made_of.items() if found & own)
        if touching:
            seen[attribute.name] = touching
    unseen = () if unknown else tuple(a.name for a in protected.attributes if a.name not in seen)
    return Exposure(seen, unseen, unknown)


def ancestors(known: dict[str, Contract], column: str) -> set[str]:
    """A column (`<layer>.<entity>.<column>`) and all it is made of, as far as contracts say."""
    found: set[str] = set()
    waiting = [column]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        table, _, inner = name.rpartition(".")
        for declared in known[table].columns if table in known else ():
            if declared.name == inner:
                waiting += declared.derived_from
    return found


def columns_of(attribute: ProtectedAttribute, source: Contract) -> list[str]:
    """The source's columns that an attribute's SQL mentions."""
    outside_quotes = re.sub(r"'[^']*'", " ", attribute.expression)
    words = set(re.findall(r"\w+", outside_quotes))
    return [name for name in source.column_names if name in words]


def _is_known(known: dict[str, Contract], column: str) -> bool:
    """Whether the column's contract is there and says what it is made of, or is a delivery's."""
    table, _, inner = column.rpartition(".")
    if table not in known:
        return False
    is_delivery = not any(c.derived_from for c in known[table].columns)
    return any(
        c.name == inner and (is_delivery or bool(c.derived_from)) for c in known[table].columns
    )
