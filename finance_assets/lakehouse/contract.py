"""Contracts: the one declaration of a table that everything else is derived from.

A contract knows columns, key, partition column and rules. It does not know how rows are made
(use_cases), checked (audit.py) or stored (publish.py).
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from finance_assets.declarations import refuse
from finance_assets.lakehouse.contract_rules import contract_mistakes


class Severity(StrEnum):
    """What a broken check does: `block` keeps the table as it was, `warn` only reports."""

    block = "block"
    warn = "warn"


@dataclass(frozen=True)
class Column:
    """One column of a table.

    `type` is Spark SQL's name. `is_volatile` marks a column that differs between two runs over
    the same input (a clock reading); it does not count when publish looks for changes.
    `derived_from` names the upstream columns as `<layer>.<entity>.<column>`. `null_tokens` are
    delivered texts that stand for a missing value, beside blank ones. `may_be_infinite`: a number
    that may be infinite or NaN: as it was delivered, or as it was measured of a model.
    """

    name: str
    type: str
    description: str
    is_nullable: bool = False
    unit: str | None = None
    is_pii: bool = False
    is_volatile: bool = False
    derived_from: tuple[str, ...] = ()
    null_tokens: tuple[str, ...] = ()
    may_be_infinite: bool = False

    @property
    def comment(self) -> str:
        """The description with unit and PII tag, as Delta and Dagster show it."""
        unit = f" [{self.unit}]" if self.unit else ""
        return f"{self.description}{unit}{' (PII)' if self.is_pii else ''}"


@dataclass(frozen=True)
class RowRule:
    """A condition each row must meet (SQL over the columns), and the reason a person reads.

    A row for which the condition is false or null breaks the rule.
    """

    name: str
    condition: str
    reason: str


@dataclass(frozen=True)
class TableRule:
    """A condition over the aggregates of one partition (SQL), and the reason a person reads."""

    name: str
    condition: str
    reason: str
    severity: Severity = Severity.block


@dataclass(frozen=True)
class Check:
    """The declaration of one check: known before any run, so that a clean run reports it too."""

    name: str
    description: str
    severity: Severity = Severity.block


@dataclass(frozen=True)
class Contract:
    """A table: `<layer>.<entity>`, its columns, key, partition column and rules.

    `min_rows` is the fewest rows a partition may have; `max_quarantine_share` the share of the
    delivered rows above which a partition is refused as a whole. Rows of an append-only table
    are never replaced: a publication adds to its partition. `malformed` says what is wrong with a
    delivered row that was kept as it came.
    """

    table: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    partition_column: str
    row_rules: tuple[RowRule, ...] = ()
    table_rules: tuple[TableRule, ...] = ()
    min_rows: int = 0
    max_quarantine_share: float = 0.0
    has_quarantine: bool = False
    is_append_only: bool = False
    malformed: str = "the number of fields is wrong"

    def __post_init__(self) -> None:
        """Refuse a contract that no table can keep.

        Raises:
            DeclarationError: naming every mistake in it.
        """
        refuse(f"contract {self.table}", contract_mistakes(self))

    @property
    def layer(self) -> str:
        """The part of the name before the dot: schema and folder."""
        return self.table.split(".")[0]

    @property
    def entity(self) -> str:
        """The part of the name after the dot: table and folder."""
        return self.table.split(".")[1]

    @property
    def column_names(self) -> list[str]:
        """Names in the declared order."""
        return [column.name for column in self.columns]

    def passed_on(self, name: str, as_type: str | None = None) -> Column:
        """The column a derived table takes over from this one, unchanged but for its type.

        Raises:
            KeyError: there is no such column.
        """
        for column in self.columns:
            if column.name == name:
                source = (f"{self.table}.{name}",)
                return replace(
                    column,
                    type=as_type or column.type,
                    derived_from=source,
                    null_tokens=(),
                    may_be_infinite=False,
                )
        raise KeyError(f"{self.table} has no column {name}")

    @property
    def required_columns(self) -> list[str]:
        """Names of the columns that may not be null."""
        return [column.name for column in self.columns if not column.is_nullable]

    @property
    def finite_columns(self) -> list[str]:
        """Names of the columns of fractions that must be numbers, as models need them."""
        fractions = (column for column in self.columns if column.type == "double")
        return [column.name for column in fractions if not column.may_be_infinite]

    @property
    def stable_columns(self) -> list[str]:
        """Names of the columns whose values decide whether a partition changed."""
        return [column.name for column in self.columns if not column.is_volatile]

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every check of the table, derived from the declarations above."""
        key = ", ".join(self.key)
        checks = [
            Check("schema", "The rows have exactly the declared columns and types."),
            Check("window", f"Every row lies in the window by `{self.partition_column}`."),
            Check("keys_unique", f"No two rows share the key ({key})."),
            Check("not_null", "No required column holds a null."),
            Check("row_conservation", "Rows in = published + quarantined + exact duplicates."),
        ]
        if self.finite_columns:
            what = "No number is infinite or NaN: what is not known is null."
            checks.append(Check("finite", what))
        if self.min_rows:
            checks.append(
                Check("freshness", f"Each partition has arrived: at least {self.min_rows} rows.")
            )
        if self.has_quarantine:
            share = f"{self.max_quarantine_share:.0%}"
            checks.append(
                Check("quarantine_share", f"At most {share} of the delivered rows are rejected.")
            )
        checks += [Check(f"rule_{rule.name}", rule.reason) for rule in self.row_rules]
        checks += [
            Check(f"rule_{rule.name}", rule.reason, rule.severity) for rule in self.table_rules
        ]
        return tuple(checks)


def quarantine_contract(source: Contract, target: Contract) -> Contract:
    """The sibling table `<target>_quarantine`: the source's row, the reasons and their time."""
    return Contract(
        table=f"{target.table}_quarantine",
        description=f"Rows of {source.table} that {target.table} rejected, and why.",
        columns=(
            *source.columns,
            Column("_reasons", "string", "Every rule the row breaks, separated by '; '"),
            Column(
                "_quarantined_at", "timestamp", "When the row was rejected (UTC)", is_volatile=True
            ),
        ),
        key=source.key,
        partition_column=source.partition_column,
    )
