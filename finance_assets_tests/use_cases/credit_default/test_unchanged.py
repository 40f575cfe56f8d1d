"""The tables of credit_default are, value by value, what they were before the readers changed.

Fingerprints hash every stable value of every row: types, text, line numbers, quarantine. They
were taken with the parser that walked over lines in Python. The quarantine of the dirty deliveries
is of later: rows of two deliveries with one key are no conflict, as each month's own run said.
"""

import json
import shutil
from pathlib import Path

import pytest

from finance_assets.use_cases.credit_default.use_case import SAMPLES, USE_CASE
from finance_assets_tests.scenario import (
    APRIL,
    HEADER,
    MAY,
    SEPTEMBER,
    TABLE_STEPS,
    deliver_bytes,
    shipped,
)

RECORDED = json.loads(Path(__file__).with_name("tables.json").read_text())


def dirty(month: str, accounts: int = 400) -> bytes:
    """Shipped rows with every kind of dirt that a line can have, twice each."""
    rows = [",".join(row) for row in shipped(month, accounts)]
    bad = [
        *("", rows[0], rows[0] + "\r", "1,2,3", " ", '"' * 40, "," * 9, "," * 8),
        '"' + rows[1].replace(",", '",', 1),
        '"' + rows[2],
        rows[3] + ",x",
        rows[4].replace(",", ',"', 1),
        rows[5].replace(",2005", ',"2005', 1),
        rows[6].replace(month, f" {month} "),
        rows[7].replace(month, "2004-01"),
        *("é," * 9 + "ü", "\t" + rows[8], rows[9][:-1] + "x"),
        *('a"b,' * 9 + "c", '"a""b",' * 9 + '"x"', '"a"b,' * 9 + "c", '"a,b",' * 9 + "c"),
        "\r".join(rows[10].rsplit(",", 1)),
    ]
    mixed = [HEADER]
    for index, line in enumerate(bad * 2):
        mixed += [*rows[index * 8 : index * 8 + 8], line]
    return ("\n".join([*mixed, *rows[len(bad) * 16 :]]) + "\n").encode()


def tables(runner) -> dict[str, dict]:
    """What the publications say of every table and its quarantine."""
    found = {}
    # What came to be since is not among them.
    kept = [step.key for step in TABLE_STEPS if step.key in RECORDED["shipped"]["tables"]]
    for key in kept:
        for table in (key, f"{key}_quarantine"):
            for publication in runner.lakehouse.history(table).publications[:1]:
                found[table] = {
                    partition: {
                        "content": publication.fingerprints[partition],
                        "fates": [x.delivered, x.published, x.quarantined, x.duplicates],
                    }
                    for partition, x in publication.ledgers.items()
                }
    return found


def digests(runner) -> dict[str, list[str]]:
    deliveries = runner.lakehouse.history(USE_CASE.steps[0].key).deliveries()
    return {partition: [one.rows, one.content] for partition, one in deliveries.items()}


def test_the_tables_of_dirty_deliveries_are_as_they_were(runner, settings):
    for month in (APRIL, MAY):
        deliver_bytes(settings.landing, month, dirty(month))
    for month in (APRIL, MAY):
        runner.run_tables(month)
    alone = tables(runner)
    shutil.rmtree(settings.lakehouse_root)
    runner.run_tables(APRIL, MAY)
    assert tables(runner) == RECORDED["dirty"]["tables"]
    assert digests(runner) == RECORDED["dirty"]["deliveries"]
    # `alone` has May only where May's own run was the newest publication.
    for table, found in alone.items():
        assert found.items() <= RECORDED["dirty"]["tables"][table].items(), table


@pytest.mark.slow
def test_the_tables_of_the_shipped_deliveries_are_as_they_were(runner, settings):
    for path in SAMPLES.iterdir():
        folder = settings.landing / USE_CASE.name
        folder.mkdir(exist_ok=True)
        (folder / path.name).write_bytes(path.read_bytes())
    runner.run_tables(APRIL, SEPTEMBER)
    assert tables(runner) == RECORDED["shipped"]["tables"]
    assert digests(runner) == RECORDED["shipped"]["deliveries"]
