"""Scopes: what origins.py asks of a SELECT that sqlglot has resolved, one scope at a time."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope


def joins(scope: "Scope") -> "list[exp.Join]":
    """The joins of a scope, in their order."""
    return scope.expression.args.get("joins") or []


def columns(node: "exp.Expr") -> "list[exp.Column]":
    """The columns that an expression names, in subqueries too."""
    from sqlglot import exp

    unused = {
        id(column)
        for merged in node.find_all(exp.Coalesce)
        if is_using(merged)
        for argument in merged.expressions
        for column in argument.find_all(exp.Column)
    }
    return [column for column in node.find_all(exp.Column) if id(column) not in unused]


def used(node: "exp.Expr") -> "exp.Expr":
    """The node, or of a column that a join with USING merges, the one that is taken."""
    return node.this if is_using(node) else node


def is_using(node: "exp.Expr") -> bool:
    """Whether sqlglot wrote this for a column of USING, where that is the left side's."""
    from sqlglot import exp

    if not isinstance(node, exp.Coalesce) or node.meta.get("written"):
        return False
    select = node.parent_select
    others = select.args.get("joins") or [] if select is not None else []
    return not any(join.side in ("RIGHT", "FULL") for join in others)


def query(scope: "Scope") -> "exp.Query":
    """The SELECT or UNION of a scope.

    Raises:
        ValueError: it is another thing that has columns.
    """
    from sqlglot import exp

    if not isinstance(scope.expression, exp.Query):
        raise ValueError("PIVOT, LATERAL VIEW and table functions cannot be followed")
    return scope.expression


def place_of(scope: "Scope", name: str) -> int:
    """The place of a column among those that a scope selects.

    Raises:
        ValueError: it is not selected.
    """
    names = [column.alias_or_name for column in query(scope).selects]
    if name not in names:
        raise ValueError(f"{name} is not selected by the query it is taken from")
    return names.index(name)


def require_followed(scope: "Scope") -> None:
    """Refuse what makes columns of its own.

    Raises:
        ValueError: the scope does.
    """
    from sqlglot import exp

    select = query(scope)
    if not isinstance(select, exp.Select) or scope.pivots or select.args.get("laterals"):
        raise ValueError("PIVOT, LATERAL VIEW and table functions cannot be followed")
