"""Lineage as it shows: change one column of an input, and see which columns of the table change.

Holds a transform to what its table says it is made of, whether that was read from a SELECT or
stated beside a function. What the made-up rows do not bring out stays unseen.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from finance_assets.lakehouse.contract import Contract
from finance_assets.steps.derived import Table

THINGS = 40
MADE_UP = {
    "bigint": lambda random, n: random.integers(1, 500_000, n),
    "int": lambda random, n: random.integers(-1, 6, n),
    "double": lambda random, n: random.normal(10, 3, n),
    "boolean": lambda random, n: random.random(n) < 0.5,
    "string": lambda random, n: random.choice(["a", "b", "c"], n),
}


def undeclared_lineage(
    spark, table: Table, partitions: Sequence[str], skipped: Sequence[str] = ()
) -> dict[str, set[str]]:
    """By column of a table: the inputs' columns that change it, though its lineage names them not.

    Args:
        table: the table whose transform is run on made-up rows.
        partitions: names of a few partitions that follow each other.
        skipped: input columns that are not changed, as `<table>.<column>`: rows would be others.
    """
    random = np.random.default_rng(7)
    frames = {e: _rows(random, contract, partitions) for e, contract in table.by_entity.items()}
    before = _made(spark, table, frames)
    found: dict[str, set[str]] = {}
    for entity, contract in table.by_entity.items():
        for column in contract.column_names:
            name = f"{contract.table}.{column}"
            if column in (*contract.key, contract.partition_column) or name in skipped:
                continue
            moved = frames[entity].copy()
            moved[column] = np.roll(moved[column].to_numpy(), 1)
            after = _made(spark, table, {**frames, entity: moved})
            assert before.index.equals(after.index), f"{name} decides which rows there are"
            for made in table.contract.columns:
                is_same = made.name in before.index.names or before[made.name].equals(
                    after[made.name]
                )
                if not is_same and name not in made.derived_from:
                    found.setdefault(made.name, set()).add(name)
    return found


def _rows(random, contract: Contract, partitions: Sequence[str]) -> pd.DataFrame:
    """Every thing in every partition, with values of the declared types."""
    index = pd.MultiIndex.from_product([partitions, range(THINGS)]).to_frame(index=False)
    columns = {}
    for column in contract.columns:
        if column.name == contract.partition_column:
            columns[column.name] = index[0]
        elif column.name in contract.key:
            columns[column.name] = index[1]
        else:
            columns[column.name] = MADE_UP[column.type](random, len(index))
    return pd.DataFrame(columns)


def _made(spark, table: Table, frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The rows that the transform makes of these, by key."""
    given = {}
    for entity, frame in frames.items():
        columns = table.by_entity[entity].columns
        ddl = ", ".join(f"`{column.name}` {column.type}" for column in columns)
        given[entity] = spark.createDataFrame(frame, ddl)
    made = (table.select or table.transform)(**given).toPandas()
    return made.set_index(list(table.contract.key)).sort_index()
