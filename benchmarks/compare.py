"""Whether two lakes hold equal rows: the tables of the pipeline, and those of a baseline."""

from pathlib import Path

import polars as pl

from benchmarks.baselines.places import FEATURES, GOLD, LABELS, PORTFOLIO, SILVER
from finance_assets.lakehouse.contract import Contract
from finance_assets.use_cases.credit_default.tables.account_months import ACCOUNT_MONTHS
from finance_assets.use_cases.credit_default.tables.features import FEATURES as FEATURES_TABLE
from finance_assets.use_cases.credit_default.tables.labels import LABELS as LABELS_TABLE
from finance_assets.use_cases.credit_default.tables.portfolio import PORTFOLIO as PORTFOLIO_TABLE
from finance_assets.use_cases.credit_default.tables.statements import STATEMENTS

# The baselines' names of the tables that must be equal to the pipeline's.
SAME: dict[str, Contract] = {
    SILVER: STATEMENTS.contract,
    GOLD: ACCOUNT_MONTHS.contract,
    PORTFOLIO: PORTFOLIO_TABLE.contract,
    FEATURES: FEATURES_TABLE.contract,
    LABELS: LABELS_TABLE.contract,
}


def rows_of(path: Path, contract: Contract) -> pl.DataFrame:
    """The rows of a Delta table in the order of its key, with the contract's columns."""
    return pl.read_delta(str(path)).select(contract.column_names).sort(contract.key)


def different_tables(ours: dict[str, Path], lake: Path) -> list[str]:
    """The tables whose rows are not equal, to the last bit of every double; `ours` are the
    pipeline's folders by table.
    """
    return [
        name
        for name, contract in SAME.items()
        if not rows_of(ours[contract.table], contract).equals(rows_of(lake / name, contract))
    ]
