"""Metadata: contracts and step results in the form that Dagster's UI shows."""

import base64
import hashlib
import inspect
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice, takewhile
from typing import Any, TypeAlias, TypeGuard

import dagster as dg
from dagster._core.definitions.metadata import RawMetadataValue

from finance_assets.assets.data_versions import FINGERPRINT
from finance_assets.codec import Json
from finance_assets.lakehouse.audit import CheckOutcome
from finance_assets.lakehouse.contract import Contract, RowRule, Severity, TableRule
from finance_assets.lakehouse.stored import Row
from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.step.declaration import Facts, Step, StepResult

BY_PARTITION = "finance_assets/by_partition"
SHOWN_PARTITIONS = 20
# What Dagster shows of an asset or a run, by name: plain values, and its own classes.
Metadata: TypeAlias = dict[str, RawMetadataValue]


def asset_key(table: str) -> dg.AssetKey:
    """`<layer>.<entity>` as Dagster's key."""
    return dg.AssetKey(table.split("."))


def table_schema(contract: Contract) -> dg.TableSchema:
    """Columns with types, nullability, key and description."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.type,
                description=column.comment,
                constraints=dg.TableColumnConstraints(
                    nullable=column.is_nullable, unique=contract.key == (column.name,)
                ),
                tags={"pii": "true"} if column.is_pii else {},
            )
            for column in contract.columns
        ]
    )


def column_lineage(contract: Contract) -> dg.TableColumnLineage | None:
    """Upstream columns of each column, as the contract declares them."""
    deps = {
        column.name: [
            dg.TableColumnDep(asset_key(source.rsplit(".", 1)[0]), source.rsplit(".", 1)[1])
            for source in column.derived_from
        ]
        for column in contract.columns
        if column.derived_from
    }
    return dg.TableColumnLineage(deps_by_column=deps) if deps else None


def code_version(step: Step) -> str:
    """Digest of the contract, the declared bounds and the functions that make the rows."""
    sources = [
        repr(step.contract),
        repr(step.declared),
        *map(_source, step.code),
    ]
    return hashlib.sha256("\n".join(sources).encode()).hexdigest()[:12]


# Many steps are made by the same functions.
_source = cache(inspect.getsource)


def table_metadata(contract: Contract) -> Metadata:
    """What the catalogue shows before anything was materialised."""
    rules: list[RowRule | TableRule] = [*contract.row_rules, *contract.table_rules]
    return {
        "dagster/column_schema": table_schema(contract),
        "dagster/table_name": contract.table,
        "key": ", ".join(contract.key),
        "rules": dg.MetadataValue.md(
            "\n".join(f"- **{rule.name}**: {rule.reason} `{rule.condition}`" for rule in rules)
            or "none"
        ),
    }


def result_metadata(step: Step, result: StepResult) -> Metadata:
    """What the materialisation of each partition shows: figures, preview, versions, lineage.

    Dagster repeats it in the event of every partition of a range: nothing here may grow with it.
    """
    metadata: Metadata = {k: _value(k, v) for k, v in result.metadata.items()}
    if result.publication is not None:
        metadata["delta_version"] = result.publication.version
        metadata["changed_partitions"] = _named(result.changed)
    if result.preview:
        metadata["preview"] = dg.MetadataValue.md(_markdown_table(result.preview))
    lineage = column_lineage(step.contract)
    if lineage is not None:
        metadata["dagster/column_lineage"] = lineage
    return metadata


def partition_metadata(result: StepResult, partition: str) -> Metadata:
    """What the materialisation of one partition shows beside that: its content, what became of
    its rows, and its facts. Dagster draws the numbers over partitions.

    Plots and documents are of all partitions; the newest one shows them.
    """
    metadata: Metadata = {FINGERPRINT: result.fingerprints[partition]}
    if partition in result.by_partition:
        facts = result.by_partition[partition]
        metadata |= {name: value for name, value in facts.items() if _is_number(value)}
        metadata[BY_PARTITION] = dg.MetadataValue.json({partition: facts})
    if partition in result.ledgers:
        ledger = result.ledgers[partition]
        metadata["dagster/partition_row_count"] = ledger.published
        metadata["rows_delivered"] = ledger.delivered
        metadata["rows_quarantined"] = ledger.quarantined
        metadata["rows_duplicate"] = ledger.duplicates
    if partition == max(result.fingerprints):
        for title, png in result.plots.items():
            encoded = base64.b64encode(png).decode()
            metadata[title] = dg.MetadataValue.md(f"![{title}](data:image/png;base64,{encoded})")
        for title, text in result.documents.items():
            metadata[title] = dg.MetadataValue.md(text)
    return metadata


def _named(changed: Sequence[str]) -> str:
    """The partitions that changed, the newest of them by name."""
    earlier = len(changed) - SHOWN_PARTITIONS
    names = ", ".join(sorted(changed)[-SHOWN_PARTITIONS:])
    said = f"{names} and {earlier} before them" if earlier > 0 else names
    return said or "none: same rows as before"


# Nobody is overtaken by more events than these while stating one.
STATEMENTS_AT_ONCE = 10


def statement(table: str, facts: Mapping[str, Facts]) -> dg.AssetMaterialization:
    """A change of a table that no asset of its own makes, with the facts that sensors read."""
    return dg.AssetMaterialization(
        asset_key(table), metadata={BY_PARTITION: dg.MetadataValue.json(facts)}
    )


def statements(
    instance: dg.DagsterInstance, wanted: dg.AssetKey | dg.AssetRecordsFilter, of: str
) -> Iterator[tuple[Facts, float]]:
    """All that was ever stated of a partition, or a use case, the newest first; and when (seconds
    since 1970). What people materialised themselves states nothing, and is left out.
    """
    cursor, has_more = None, True
    while has_more:
        page = instance.fetch_materializations(wanted, limit=STATEMENTS_AT_ONCE, cursor=cursor)
        for record in page.records:
            facts = stated_facts(record, of)
            if facts is not None:
                yield facts, record.timestamp
        cursor, has_more = page.cursor, page.has_more


def stated_champion(instance: dg.DagsterInstance, use_case: str) -> Facts:
    """The facts of today's champion as Dagster was told of them; empty if it never was.

    Who states an event may be slower than who states the next one, so the newest event counts.
    A person who accepts a history that lacks events begins to count anew.
    """
    key = asset_key(champion_history_contract(use_case).table)
    newest = islice(statements(instance, key, use_case), STATEMENTS_AT_ONCE)
    said = [facts for facts, _ in newest]
    # The first versions of this package stated no acceptance: of them the last one counts.
    comparable = [*takewhile(lambda facts: "accepted_at" in facts, said)] or said[:1]
    return max(comparable, key=_place, default={})


def _place(facts: Facts) -> tuple[str, int]:
    """The place of the event that is stated: behind which acceptance, and its number."""
    number = str(facts.get("statement", "")).partition(":")[0]
    return str(facts.get("accepted_at", "")), int(number) if number.isdecimal() else 0


def stated_history(instance: dg.DagsterInstance, use_case: str) -> str:
    """The newest event of the champion history as Dagster was told of it; empty if it never was."""
    return str(stated_champion(instance, use_case).get("statement", ""))


def stated_facts(record: dg.EventLogRecord, of: str) -> Facts | None:
    """The facts that a materialisation states of a partition, or a use case; None if of none."""
    materialization = record.asset_materialization
    value = materialization.metadata.get(BY_PARTITION) if materialization else None
    facts = value.value if value is not None and isinstance(value.value, dict) else {}
    return facts.get(of)


def check_result(step: Step, outcome: CheckOutcome) -> dg.AssetCheckResult:
    """An outcome as Dagster records it, with the breakdown per partition."""
    return dg.AssetCheckResult(
        asset_key=asset_key(step.key),
        check_name=outcome.check.name,
        passed=outcome.is_passed,
        severity=severity(outcome.check.severity),
        description=outcome.observed,
        metadata={"by_partition": dg.MetadataValue.json(_jsonable(outcome.by_partition))},
    )


def severity(declared: Severity) -> dg.AssetCheckSeverity:
    """Dagster's word for the severity."""
    blocks = declared is Severity.block
    return dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _value(name: str, value: Any) -> Any:
    is_link = isinstance(value, str) and value.startswith("http")
    return dg.MetadataValue.url(value) if is_link else value


def _jsonable(record: Mapping[str, Any]) -> dict[str, Json]:
    return dict(json.loads(json.dumps(record, default=str)))


def _markdown_table(rows: Sequence[Row]) -> str:
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(_cell(row[name]) for name in names) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")[:60]
