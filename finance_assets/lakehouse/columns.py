"""Columns: how those of rows, or of a stored table, differ from the contract's."""

from typing import TYPE_CHECKING

from finance_assets.lakehouse.contract import Contract

if TYPE_CHECKING:
    from pyspark.sql.types import StructType


def schema_problems(schema: "StructType", contract: Contract) -> list[str]:
    """What differs between the columns of rows and the contract; empty when nothing does."""
    found = {field.name: field.dataType.simpleString() for field in schema.fields}
    return column_problems(found, contract)


def column_problems(found: dict[str, str], contract: Contract) -> list[str]:
    """What differs between columns, name and type, and the contract; empty when nothing does."""
    declared = {column.name: column.type for column in contract.columns}
    missing = [f"{name} is missing" for name in declared if name not in found]
    extra = [f"{name} is not declared" for name in found if name not in declared]
    other = [
        f"{name} is {found[name]}, declared {declared[name]}"
        for name in declared
        if name in found and found[name] != declared[name]
    ]
    return missing + extra + other
