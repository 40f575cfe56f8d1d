"""Every type is read from text in one way, on every engine; what is not exactly it is rejected."""

import datetime as dt
import json
from decimal import Decimal

import pytest

from finance_assets.lakehouse.sources.csv import Csv
from finance_assets.lakehouse.sources.reader import Arrival
from finance_assets.lakehouse.sources.source import Source, columns_named
from finance_assets_tests.lakehouse.sources import test_parquet as typed
from finance_assets_tests.lakehouse.sources.made_up import Refined

P = "2005-04"
UNREADABLE = object()
CASES: dict[str, dict[str, object]] = {
    "int": {
        "2147483647": 2147483647,
        "-2147483648": -2147483648,
        "+007": 7,
        " 5 ": 5,
        "2147483648": UNREADABLE,
        "5.0": UNREADABLE,
        "1e3": UNREADABLE,
        "0x10": UNREADABLE,
        "٥": UNREADABLE,
        "5\n": UNREADABLE,
        "5_0": UNREADABLE,
    },
    "bigint": {
        "9223372036854775807": 9223372036854775807,
        "-9223372036854775808": -9223372036854775808,
        "9223372036854775808": UNREADABLE,
        "9" * 60: UNREADABLE,
    },
    "double": {
        "1.5": 1.5,
        ".5": 0.5,
        "5.": 5.0,
        "-1e3": -1000.0,
        "1.7976931348623157e308": 1.7976931348623157e308,
        "1e309": UNREADABLE,
        "NaN": UNREADABLE,
        "inf": UNREADABLE,
        "1,5": UNREADABLE,
        "1d": UNREADABLE,
        ".": UNREADABLE,
    },
    "decimal(6,2)": {
        "1234.56": Decimal("1234.56"),
        "-0001234.5600": Decimal("-1234.56"),
        ".5": Decimal("0.50"),
        "5.": Decimal("5.00"),
        "12345.6": UNREADABLE,
        "1.234": UNREADABLE,
        "1e2": UNREADABLE,
        ".": UNREADABLE,
    },
    "decimal(3,0)": {"999": Decimal(999), "1.0": Decimal(1), "1.5": UNREADABLE, "1000": UNREADABLE},
    "decimal(2,2)": {"0.25": Decimal("0.25"), "1.25": UNREADABLE, "1": UNREADABLE},
    "date": {
        "2005-04-30": dt.date(2005, 4, 30),
        "2004-02-29": dt.date(2004, 2, 29),
        "0001-01-01": dt.date(1, 1, 1),
        "2005-02-29": UNREADABLE,
        "2005-4-3": UNREADABLE,
        "0000-01-01": UNREADABLE,
        "30.04.2005": UNREADABLE,
        "2005-04-30 00:00:00": UNREADABLE,
    },
    "timestamp": {
        "2005-04-30 10:11:12": dt.datetime(2005, 4, 30, 10, 11, 12),
        "2005-04-30T10:11:12.123456Z": dt.datetime(2005, 4, 30, 10, 11, 12, 123456),
        "2005-04-30T10:11:12+02:00": dt.datetime(2005, 4, 30, 8, 11, 12),
        "2005-04-30T10:11:12.1234567": UNREADABLE,
        "2005-04-30 24:00:00": UNREADABLE,
        "2005-02-30 10:00:00": UNREADABLE,
        "2005-04-30": UNREADABLE,
        "10:11:12": UNREADABLE,
    },
    "boolean": {
        "true": True,
        "FALSE": False,
        "Yes": True,
        "n": False,
        "1": True,
        "0": False,
        "2": UNREADABLE,
        "maybe": UNREADABLE,
    },
    "string": {" x ": "x", "NA": None, "5\n": "5\n"},
}


def refined() -> Refined:
    """A column of each type; a row holds one value, the others are missing."""
    names = ("id", *(f"c{i}" for i in range(len(CASES))))
    source = Source(
        "x",
        "values_{partition}.csv",
        columns_named(names),
        Csv(is_multiline=True),
        null_tokens=("NA", "it's"),
    )
    types = {"id": "int", **{f"c{i}": kind for i, kind in enumerate(CASES)}}
    return Refined(source, types, key=("id",), entity="values")


def content() -> str:
    lines, number = [",".join(("id", *(f"c{i}" for i in range(len(CASES)))))], 0
    for place, texts in enumerate(CASES.values()):
        for text in texts:
            cells = ["NA"] * len(CASES)
            cells[place] = f'"{text}"'
            lines.append(",".join((str(number), *cells)))
            number += 1
    return "\n".join(lines) + "\n"


def wanted() -> list[tuple[str, str, object]]:
    return [(kind, text, value) for kind, texts in CASES.items() for text, value in texts.items()]


def found(runner) -> list[tuple[str, str, object]]:
    things = refined()
    stored = {row["id"]: row for row in runner.rows(things.silver.table, "id")}
    rejected = runner.rows(f"{things.silver.table}_quarantine", "_source_line")
    reasons = {int(row["id"]): row["_reasons"] for row in rejected}
    values, number = [], 0
    for place, (kind, texts) in enumerate(CASES.items()):
        for text in texts:
            if number in stored:
                value = stored[number][f"c{place}"]
            else:
                assert reasons[number] == f"c{place}: not readable as {kind}"
                value = UNREADABLE
            values.append((kind, text, value))
            number += 1
    return values


def test_a_text_is_read_exactly_or_rejected(runner, settings):
    things = refined()
    things.deliver(settings, P, content())
    things.run(runner, P)
    assert found(runner) == wanted()


def copied(runner, path) -> list[str]:
    """The copies of a typed file that staging makes for the engine."""
    folder = runner.settings.root / "staged"
    folder.mkdir()
    source, arrivals = typed.THINGS.source, [Arrival(P, path, path)]
    source.format.stage(runner.lakehouse.spark, source, typed.THINGS.bronze, arrivals, folder)
    return [copy.name for copy in folder.iterdir()]


def told(runner) -> dict:
    """What the tables hold that are made of texts and of typed files, but for clock readings."""
    things = refined()
    things.deliver(runner.settings, P, content())
    things.run(runner, P)
    assert found(runner) == wanted()
    others = {"Thing Id": typed.pa.array([7, 8, 9, 10, 11]), "seen_at": typed.WITHOUT_ZONE}
    wide = typed.parquet(**typed.columns(**others))
    path = typed.THINGS.deliver(runner.settings, P, typed.parquet(**typed.columns()))
    typed.THINGS.deliver(runner.settings, typed.NEXT, wide)
    typed.THINGS.run(runner, P, typed.NEXT)
    tables = [things.bronze, things.silver, typed.THINGS.bronze, typed.THINGS.silver]
    said = {
        contract.table: [
            {k: v for k, v in row.items() if k != "_ingested_at"}
            for row in runner.rows(contract.table, ", ".join(contract.key))
        ]
        for contract in tables
    }
    history = runner.lakehouse.history
    said["digests"] = {
        contract.table: [vars(d) for d in history(contract.table).deliveries().values()]
        for contract in tables[::2]
    }
    said["copies"] = copied(runner, path)
    return json.loads(json.dumps(said, default=str, sort_keys=True))


ASK = """
import json
from finance_assets.compute.sessions import open_session
from finance_assets.settings import get_settings
from finance_assets_tests.lakehouse.sources.test_readable import told
from finance_assets_tests.scenario import Runner

settings = get_settings()
settings.prepare_home()
print("RESULT" + json.dumps(told(Runner(settings, open_session(settings)))))
"""


@pytest.mark.slow
@pytest.mark.jvm
def test_text_and_parquet_are_read_alike_on_the_embedded_engine_and_on_the_jvm(
    runner, jvm, tmp_path
):
    said = jvm.run(ASK, tmp_path / "jvm", tmp_path / "jvm" / "landing")
    distributed = json.loads(said.splitlines()[-1].removeprefix("RESULT"))
    embedded = told(runner)
    # Spark reads the delivered Parquet itself, distributed; Sail cannot number rows, and gets a copy.
    assert distributed.pop("copies") == []
    assert embedded.pop("copies") == ["2005-04.parquet"]
    assert distributed == embedded
    assert len(embedded["bronze.things_delivered"]) == 10
