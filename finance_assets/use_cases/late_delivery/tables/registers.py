"""Registers, such as those of planes and airports: reference data that no month belongs to.

Such a list is delivered when it changes, and holds until the next one comes: here once, with the
first month. So no month has to bring it, two months may bring the same, and who reads it takes
all that came up to the own month.
"""

from finance_assets.step.declaration import Input
from finance_assets.steps.entity import DELIVERED_FOR, Entity

LIST = "Month with which the list came (YYYY-MM)"


def newest(entity: str, key: str, names: tuple[str, ...], months: str) -> str:
    """SQL: the rows of a register as they hold in each of the months that a relation has.

    A run over many months sees later lists too; they do not hold before they came.
    """
    columns = ", ".join(f"max_by({name}, {DELIVERED_FOR}) AS {name}" for name in names)
    return (
        f"SELECT flight_month, {key}, {columns} FROM {months}"
        f" JOIN {entity} ON {entity}.{DELIVERED_FOR} <= {months}.flight_month"
        f" GROUP BY flight_month, {key}"
    )


def until_now(register: Entity) -> Input:
    """A register as an input: every list that came up to the reader's month."""
    return Input(register.contract, first_offset=None)
