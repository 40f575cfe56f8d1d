"""Origins: which columns of the inputs each column of a SELECT is made of.

sqlglot resolves the names; this follows them through CTEs, subqueries, joins and unions. What it
cannot follow it refuses, for silence would be read as «made of nothing».
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING

from finance_assets.step.scopes import (
    columns,
    joins,
    place_of,
    query,
    require_followed,
    used,
)

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

DIALECT = "databricks"
# A column of an input: the input's entity, and the column's name.
Place = tuple[str, str]
NOTHING: frozenset[Place] = frozenset()
# Clauses that decide which rows there are, and joins that do nothing else.
ROW_CLAUSES = ("where", "having", "qualify", "limit", "order")
MERE_FILTERS = ("SEMI", "ANTI")


@dataclass(frozen=True)
class Origin:
    """What a selected column is made of: `places`. `plain` is the input's column that it repeats
    as it is, or as another type.
    """

    places: frozenset[Place]
    plain: Place | None


def read_origins(select: "exp.Query", columns_of: Mapping[str, Sequence[str]]) -> dict[str, Origin]:
    """The selected columns of a SELECT over these inputs, in order.

    A column is made of the columns of its expression, and of those that decide which rows the
    expression sees: filters always; keys of joins and groups where it names no column that comes
    from an input, as `count(*)` does.

    Raises:
        ValueError: it names what does not exist, or cannot be followed.
    """
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    schema: dict[str, object] = {
        name: dict.fromkeys(names, "string") for name, names in columns_of.items()
    }
    select = select.copy()
    for written in select.find_all(exp.Coalesce):
        written.meta["written"] = True
    try:
        tree = qualify(select, dialect=DIALECT, schema=schema, quote_identifiers=False)
        root = build_scope(tree)
    except SqlglotError as error:
        raise ValueError(str(error).splitlines()[0]) from error
    if root is None:
        raise ValueError("it is no SELECT")
    reader = _Reader(frozenset(columns_of), {id(s.expression): s for s in root.traverse()})
    return {
        column.alias_or_name: Origin(reader.made_of(root, place), reader.plain(root, place))
        for place, column in enumerate(query(root).selects)
    }


@dataclass
class _Reader:
    """Follows columns from scope to scope; each is followed once, and each scope's filters."""

    inputs: frozenset[str]
    scopes: "dict[int, Scope]"
    _known: dict[tuple[int, int], frozenset[Place]] = field(default_factory=dict)
    _open: set[tuple[int, int]] = field(default_factory=set)
    _filtered: dict[int, frozenset[Place]] = field(default_factory=dict)

    def made_of(self, scope: "Scope", place: int) -> frozenset[Place]:
        """What the selected column at a place is made of."""
        here = (id(scope), place)
        if here in self._open:
            raise ValueError("it refers to itself")
        if here not in self._known:
            self._open.add(here)
            self._known[here] = self._made_of(scope, place)
            self._open.discard(here)
        return self._known[here]

    def plain(self, scope: "Scope", place: int) -> Place | None:
        """The input's column that the selected one repeats."""
        from sqlglot import exp

        if scope.set_operation_scopes:
            return None
        node = query(scope).selects[place].unalias()
        while isinstance(node, exp.Cast | exp.Paren):
            node = node.this
        node = used(node)
        if not isinstance(node, exp.Column):
            return None
        source = self._source(scope, node)
        if isinstance(source, exp.Table):
            return source.name, node.name
        return self.plain(source, place_of(source, node.name))

    def _made_of(self, scope: "Scope", place: int) -> frozenset[Place]:
        if scope.set_operation_scopes:
            return _all(self.made_of(one, place) for one in scope.set_operation_scopes)
        require_followed(scope)
        node = query(scope).selects[place]
        return self._of(scope, node) or self._keys(scope) | self._filters(scope)

    def _of(self, scope: "Scope", node: "exp.Expr") -> frozenset[Place]:
        """What an expression of a scope is made of, filters included; nothing for a constant."""
        from sqlglot import exp

        found = _all(self._column(scope, column) for column in columns(node))
        for inner in node.find_all(exp.Select):
            nested = self.scopes[id(inner)]
            found |= self._keys(nested) | self._filters(nested)
        return found | self._filters(scope) if found else found

    def _column(self, scope: "Scope", column: "exp.Column") -> frozenset[Place]:
        """What a named column is made of, and what decides whether it is null."""
        scope, found = self._base(scope, column)
        # A constant from a joined table says whether there was a row to join.
        return found | self._conditions(scope, column.table) if found else self._keys(scope)

    def _base(self, scope: "Scope", column: "exp.Column") -> "tuple[Scope, frozenset[Place]]":
        """The scope that a column is named in, and what it is made of there."""
        from sqlglot import exp

        inner = column.parent_select
        scope = self.scopes.get(id(inner), scope) if inner is not None else scope
        source = self._source(scope, column)
        if isinstance(source, exp.Table):
            return scope, frozenset({(source.name, column.name)})
        return scope, self.made_of(source, place_of(source, column.name))

    def _bases(self, scope: "Scope", node: "exp.Expr") -> frozenset[Place]:
        return _all(self._base(scope, column)[1] for column in columns(node))

    def _source(self, scope: "Scope", column: "exp.Column") -> "exp.Table | Scope":
        from sqlglot import exp
        from sqlglot.optimizer.scope import Scope

        at: Scope | None = scope
        while at is not None and column.table not in at.sources:
            at = at.parent
        source = None if at is None else at.sources[column.table]
        if isinstance(source, exp.Table) and source.name in self.inputs:
            return source
        if isinstance(source, Scope) and not source.is_udtf:
            return source
        raise ValueError(f"{column.sql(DIALECT)} cannot be followed to an input")

    def _keys(self, scope: "Scope") -> frozenset[Place]:
        """Columns by which rows are joined and grouped."""
        if scope.set_operation_scopes:
            return _all(self._keys(one) for one in scope.set_operation_scopes)
        nodes = [scope.expression.args.get("group"), *(j.args.get("on") for j in joins(scope))]
        return _all(self._bases(scope, node) for node in nodes if node is not None)

    def _filters(self, scope: "Scope") -> frozenset[Place]:
        """Columns that decide which rows there are: of the scope, and of those it selects from."""
        if id(scope) not in self._filtered:
            self._filtered[id(scope)] = self._filters_of(scope)
        return self._filtered[id(scope)]

    def _filters_of(self, scope: "Scope") -> frozenset[Place]:
        from sqlglot import exp
        from sqlglot.optimizer.scope import Scope

        if scope.set_operation_scopes:
            return _all(self._filters(one) for one in scope.set_operation_scopes)
        selected, optional = query(scope), set[str]()
        if not selected.args.get("group") and not any(
            s.find(exp.AggFunc) for s in selected.selects
        ):
            # A row without a partner stays, so these decide about their own columns only.
            optional = {j.alias_or_name for j in joins(scope) if j.side == "LEFT" and not j.kind}
        nodes = [selected.args[name] for name in ROW_CLAUSES if selected.args.get(name)]
        nodes += [j.args["on"] for j in joins(scope) if j.kind in MERE_FILTERS and j.args.get("on")]
        found = _all(self._bases(scope, node) for node in nodes)
        for join in joins(scope):
            if join.alias_or_name not in optional:
                found |= self._conditions(scope, join.alias_or_name)
        for name, (_, source) in scope.selected_sources.items():
            if isinstance(source, Scope) and name not in optional:
                found |= self._filters(source)
        return found

    def _conditions(self, scope: "Scope", joined: str) -> frozenset[Place]:
        """Columns of a join's conditions that do more than compare keys."""
        from sqlglot import exp

        found = NOTHING
        for join in joins(scope):
            on = join.args.get("on")
            if on is None or join.alias_or_name != joined:
                continue
            parts: list[exp.Expr] = list(on.flatten()) if isinstance(on, exp.And) else [on]
            for part in parts:
                sides = (part.left, part.right) if isinstance(part, exp.EQ) else ()
                if not sides or not all(isinstance(used(s), exp.Column) for s in sides):
                    found |= self._bases(scope, part)
        return found


def _all(found: Iterable[frozenset[Place]]) -> frozenset[Place]:
    return reduce(frozenset.union, found, NOTHING)
