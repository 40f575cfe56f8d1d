"""DDL: a contract as the SQL that makes its table."""

from collections.abc import Mapping

from finance_assets.lakehouse.contract import Contract


def columns_ddl(contract: Contract) -> str:
    """`name type, …` as Spark's schema strings want it."""
    return ", ".join(f"`{column.name}` {column.type}" for column in contract.columns)


def quoted(text: str) -> str:
    """A SQL string literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def identifier(*names: str) -> str:
    """A SQL name of several parts, each quoted: a catalog may be called `risk-prod`."""
    return ".".join(f"`{name.replace('`', '``')}`" for name in names)


def properties_ddl(properties: Mapping[str, str]) -> str:
    """`'key' = 'value', …` as TBLPROPERTIES wants it."""
    return ", ".join(f"{quoted(key)} = {quoted(value)}" for key, value in properties.items())


def create_statement(contract: Contract, name: str, properties: Mapping[str, str]) -> str:
    """The DDL of a table of a catalog: types, NOT NULL, comments, partitioning, properties."""
    columns = ", ".join(
        f"`{column.name}` {column.type}{'' if column.is_nullable else ' NOT NULL'}"
        f" COMMENT {quoted(column.comment)}"
        for column in contract.columns
    )
    append_only = {"delta.appendOnly": str(contract.is_append_only).lower()}
    return (
        f"CREATE TABLE IF NOT EXISTS {name} ({columns}) USING delta"
        f" PARTITIONED BY ({contract.partition_column})"
        f" COMMENT {quoted(contract.description)}"
        f" TBLPROPERTIES ({properties_ddl({**properties, **append_only})})"
    )
