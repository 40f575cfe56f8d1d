"""Expressions that are slow on Sail, each beside another that gives the same: needs only pysail.

    python sail_reproduction.py [accounts]

Prints a Markdown table: wall and CPU seconds of the whole process, best of two.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession

PAST = ("status", "bill", "paid", "credit", "age", "late", "one")
PAIRS: dict[str, tuple[str, str]] = {
    "number of distinct pairs: `count(DISTINCT a, b)`; a group-by over a group-by": (
        "SELECT count(DISTINCT account, month) FROM rows",
        "SELECT count(*) FROM (SELECT account, month FROM rows GROUP BY account, month)",
    ),
    "sums over the last three months: seven `RANGE` windows; two self-joins": (
        "SELECT "
        + ", ".join(
            f"sum({name}) OVER (PARTITION BY account ORDER BY month"
            f" RANGE BETWEEN 2 PRECEDING AND CURRENT ROW) AS {name}_3m"
            for name in PAST
        )
        + " FROM rows",
        "SELECT "
        + ", ".join(
            f"rows.{name} + coalesce(a.{name}, 0) + coalesce(b.{name}, 0) AS {name}_3m"
            for name in PAST
        )
        + " FROM rows"
        " LEFT JOIN rows a ON a.account = rows.account AND a.month = rows.month - 1"
        " LEFT JOIN rows b ON b.account = rows.account AND b.month = rows.month - 2",
    ),
    "the values of a month ago: seven `lag`; one self-join": (
        "SELECT "
        + ", ".join(
            f"lag({name}) OVER (PARTITION BY account ORDER BY month) AS {name}_1" for name in PAST
        )
        + " FROM rows",
        "SELECT "
        + ", ".join(f"a.{name} AS {name}_1" for name in PAST)
        + " FROM rows LEFT JOIN rows a ON a.account = rows.account AND a.month = rows.month - 1",
    ),
    "one of each row: `row_number()` over all columns; `DISTINCT`": (
        f"SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY account, month,"
        f" {', '.join(PAST)} ORDER BY account) AS n FROM rows) WHERE n = 1",
        "SELECT DISTINCT * FROM rows",
    ),
}


def made_up(accounts: int, path: Path) -> None:
    """Three months of so many accounts."""
    random = np.random.default_rng(1)
    count = 3 * accounts
    columns = {name: random.integers(0, 1000, count) for name in PAST}
    account, month = np.tile(np.arange(accounts), 3), np.repeat(np.arange(3), accounts)
    table = pa.table({"account": account, "month": month, **columns})
    pq.write_table(table, path, row_group_size=100_000)


def best(act: Callable[[], object], times: int = 2) -> tuple[float, float]:
    """Wall and CPU seconds of the fastest of some calls."""
    taken = []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        act()
        taken.append((time.perf_counter() - wall, time.process_time() - cpu))
    return min(taken)


def main(accounts: int = 280_000) -> None:
    """Measure every pair."""
    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    _, port = server.listening_address
    spark = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    print("| | slow: wall | CPU | same result: wall | CPU |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        made_up(accounts, Path(folder) / "rows.parquet")
        spark.read.parquet(f"{folder}/rows.parquet").createOrReplaceTempView("rows")
        for name, statements in PAIRS.items():
            figures: list[float] = []
            for number, statement in enumerate(statements):
                to = f"{folder}/out{number}"
                frame = spark.sql(statement)
                figures += best(
                    lambda frame=frame, to=to: frame.write.mode("overwrite").parquet(to)  # type: ignore[misc]
                )
            print(f"| {name} | {' | '.join(f'{figure:.2f}' for figure in figures)} |", flush=True)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
