"""Constraints: the contract's row rules as a Delta CHECK constraint, kept in step with it.

The audit judges every row before a commit; the constraint stops writers that go around publish.
Tables in folders get it with deltalake, because Sail 0.7.2 can add a constraint but not drop one;
tables of a catalog with SQL.
"""

from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.stored import StoredTable

# One constraint for all rules: Sail 0.7.2 nests each further one into the plan of every write,
# and eight of them took 9 s a commit instead of 0.1 s.
NAME = "row_rules"
# Delta stores a constraint in the writer's own spelling, so the declared text is kept as well.
DECLARED = "finance_assets.row_rules"


def release_outdated(stored: StoredTable, contract: Contract) -> None:
    """Drop the constraint of rules that are no longer the contract's, before new rows come."""
    if not is_declared(stored, contract):
        release(stored)


def is_declared(stored: StoredTable, contract: Contract) -> bool:
    """Whether the rules that the table was given last are those of the contract."""
    return stored.configuration.get(DECLARED) == _declared(contract)


def release(stored: StoredTable) -> None:
    """Drop the constraint; the next publication puts it on again.

    Also where a column may be null since: deltalake 1.6.6 stores what a condition comes to for the
    columns as they are, without `x IS NULL OR` where `x` is required.
    """
    if _is_there(stored):
        stored.drop_constraint(NAME)


def enforce(stored: StoredTable, contract: Contract) -> bool:
    """Put the contract's rules on the table; false if stored rows do not keep them yet.

    That is so while older partitions wait to be run again under changed rules; every later
    publication tries anew.
    """
    if not contract.row_rules or _is_there(stored):
        return True
    declared = _declared(contract)
    return stored.add_constraint(NAME, declared, {DECLARED: declared})


def is_enforced(stored: StoredTable, contract: Contract) -> bool:
    """Whether the table keeps the contract's rules by itself."""
    return not contract.row_rules or _is_there(stored)


def _declared(contract: Contract) -> str:
    return " AND ".join(f"({rule.condition})" for rule in contract.row_rules)


def _is_there(stored: StoredTable) -> bool:
    return f"delta.constraints.{NAME}" in stored.configuration
