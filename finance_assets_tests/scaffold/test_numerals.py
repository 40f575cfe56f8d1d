"""Numbers as people write them: each way is read as it was meant, here and on the engine."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from finance_assets.scaffold.profile import profile
from finance_assets.scaffold.sql import number_sql, readable_sql

ROWS = 1200
RANDOM = np.random.default_rng(3)
AMOUNTS = RANDOM.lognormal(8, 1, ROWS).round(2)
SIGNED = AMOUNTS * RANDOM.choice([-1, 1], ROWS)
COUNTS = RANDOM.integers(0, 300, ROWS)


def us(x):
    return f"{x:,.2f}"


def german(x):
    return us(x).translate(str.maketrans(",.", ".,"))


def lakh(x):
    """12,34,567.00: hundreds of thousands."""
    whole, rest = f"{x:.2f}"[:-6], f"{x:.2f}"[-6:]
    groups = [whole[max(end - 2, 0) : end] for end in range(len(whole), 0, -2)][::-1]
    return ",".join([*groups, rest])


WAYS = {
    "plain numbers with many digits": (AMOUNTS, lambda x: f"{x:.2f}"),
    "commas between thousands": (SIGNED, us),
    "a decimal comma": (SIGNED, german),
    "apostrophes": (SIGNED, lambda x: us(x).replace(",", "'")),
    "apostrophes of a printer": (SIGNED, lambda x: us(x).replace(",", "\u2019")),
    "blanks": (SIGNED, lambda x: us(x).replace(",", " ").replace(".", ",")),
    "blanks that never break": (SIGNED, lambda x: us(x).replace(",", "\u00a0").replace(".", ",")),
    "narrow blanks": (SIGNED, lambda x: us(x).replace(",", "\u202f").replace(".", ",")),
    "blanks and euros": (AMOUNTS, lambda x: us(x).replace(",", " ").replace(".", ",") + " €"),
    "a decimal comma and euros": (SIGNED, lambda x: f"{german(x)} €"),
    "dollars in front": (AMOUNTS, lambda x: f"${us(x)}"),
    "a currency's letters in front": (SIGNED, lambda x: f"USD {us(x)}"),
    "percents with a decimal comma": (AMOUNTS, lambda x: f"{x:.2f} %".replace(".", ",")),
    "a minus behind": (SIGNED, lambda x: german(abs(x)) + ("-" if x < 0 else "")),
    "brackets": (SIGNED, lambda x: f"({us(-x)})" if x < 0 else us(x)),
    "brackets behind dollars": (SIGNED, lambda x: f"$({us(-x)})" if x < 0 else f"${us(x)}"),
    "nothing but brackets": (-AMOUNTS, lambda x: f"({us(-x)})"),
    "a minus of a printer": (SIGNED, lambda x: f"{x:.2f}".replace("-", "\u2212")),
    "lakhs": (40 * AMOUNTS, lakh),
    "exponents beside commas": (
        COUNTS * 100 + 1000,
        lambda x: f"{x:,}" if x % 7 else f"{x / 1e4:.2f}e4",
    ),
    "exponents of Excel": (
        COUNTS * 1000,
        lambda x: f"{x / 1e5:.3f}E+05" if x > 1e5 else f"{x / 1000:.1f}E+03",
    ),
    "exponents with a decimal comma": (
        COUNTS * 1000,
        lambda x: (
            f"{x / 1e5:.3f}E+05".replace(".", ",") if x > 1e5 else f"{x},5".replace(",5", ",0")
        ),
    ),
    "thousands and millions": (
        COUNTS * 10_000,
        lambda x: f"{x / 1e6}M" if x > 1e6 else f"{x / 1e3}K",
    ),
    "millions and billions": (
        COUNTS * 10_000_000 + 1,
        lambda x: f"{x / 1e9:.9f} Mrd" if x > 1e9 else f"{x / 1e6:.6f} M",
    ),
    "pounds in thousands, or not": (COUNTS * 100, lambda x: f"£{x / 1e3}k" if x > 999 else f"£{x}"),
    "60 and more": (np.minimum(COUNTS, 60), lambda x: "60+" if x == 60 else str(x)),
    "more than 200": (np.minimum(COUNTS, 200), lambda x: ">200" if x == 200 else str(x)),
    "at most 20": (np.maximum(COUNTS, 20), lambda x: "\u2264 20" if x == 20 else str(x)),
}


def seen_of(texts):
    return profile("odd", pa.chunked_array([pa.array(list(texts))]))


@pytest.mark.parametrize("way", WAYS)
def test_a_way_to_write_numbers_is_read_as_it_was_meant(way):
    meant, written = WAYS[way]
    texts = [written(x) for x in meant]
    found = seen_of(texts)
    assert np.allclose(found.numbers(pd.Series(texts)), meant, rtol=1e-12)
    assert (found.missing, found.unreadable) == (0, 0)
    assert bool(found.written) == (
        way not in ("plain numbers with many digits", "exponents of Excel")
    )


ODD = [
    "5 miles",
    "abc",
    "1.2.3",
    "--5",
    "(5",
    "12,5,3",
    "1e5",
    "-",
    "1\n",
    "7\t",
    "Infinity",
    "0x1F",
]


def test_the_engine_reads_each_way_exactly_as_it_was_read_here(spark):
    frame = {f"way_{i}": [f(x) for x in meant] + ODD for i, (meant, f) in enumerate(WAYS.values())}
    rows = spark.createDataFrame(pd.DataFrame(frame).assign(row=np.arange(ROWS + len(ODD))))
    found = {name: seen_of(texts[:ROWS]) for name, texts in frame.items()}
    written = {name: one for name, one in found.items() if one.written}
    assert len(written) > 20
    numbers = (f"{number_sql(name, one)} AS {name}" for name, one in written.items())
    readable = (f"{readable_sql(name, one)} AS {name}_fits" for name, one in written.items())
    read = rows.selectExpr("row", *numbers, *readable).toPandas().sort_values("row")
    for name, one in written.items():
        here = one.numbers(pd.Series(frame[name])).to_numpy()
        fits = read[f"{name}_fits"].to_numpy(dtype=bool)
        assert (fits == ~np.isnan(here)).all(), (
            name,
            np.array(frame[name])[fits == np.isnan(here)],
        )
        # What does not fit is rejected before anything is made of it.
        assert (read[name].to_numpy("float64")[fits] == here[fits]).all(), name


@pytest.mark.parametrize(
    "texts",
    [
        [f"+49 {a} {b} {c}" for a, b, c in RANDOM.integers(100, 999, (ROWS, 3))],
        [f"{a} {b} {c}" for a, b, c in RANDOM.integers(100, 999, (ROWS, 3))],
        [f"T{i:06d}" for i in range(ROWS)],
        [
            f"{a}{b}"
            for a, b in zip(
                RANDOM.integers(1, 6, ROWS), RANDOM.choice(["", "+", "-"], ROWS), strict=True
            )
        ],
        [str(x) if x < 3 else "3+" for x in COUNTS % 5],
        [f"{x}^" for x in COUNTS],
        [f"{x}]" for x in COUNTS],
        [f"{x}\\" for x in COUNTS],
    ],
)
def test_numbers_of_things_and_classes_are_no_amounts(texts):
    found = seen_of(texts)
    assert not found.is_number
    assert not found.is_unread


@pytest.mark.parametrize(
    "texts",
    [
        [f"{us(x)} {'USD' if x > 3000 else 'EUR'}" for x in AMOUNTS],
        [f"{us(x)}/{'piece' if x > 3000 else 'pair'}" for x in AMOUNTS],
        [us(x) if i % 2 else german(x) for i, x in enumerate(AMOUNTS)],
    ],
)
def test_what_looks_like_numbers_and_is_read_by_nothing_is_told(texts):
    found = seen_of(texts)
    assert found.doubt.startswith("was not read as numbers, though it looks like them")
    assert found.values[0] in found.doubt


@pytest.mark.parametrize(
    "texts",
    [[f"{n % 400}.-" if n % 2 else f"{n % 400}.90" for n in range(ROWS)]],
    ids=["prices without cents"],
)
def test_what_may_be_another_number_is_not_read(texts):
    found = seen_of(texts)
    assert found.type == "string"
    assert found.written is None
    assert "was not read as numbers" in found.doubt


def test_a_letter_of_a_house_makes_no_billions():
    found = seen_of([f"{n % 199}B" if n % 3 == 0 else str(n % 199) for n in range(ROWS)])
    assert found.high is None or found.high < 200


@pytest.mark.parametrize(
    ("way", "told"), [("brackets", "is read as -"), ("thousands and millions", "M is read as ")]
)
def test_signs_and_sizes_that_people_write_are_told(way, told):
    meant, written = WAYS[way]
    assert told in seen_of([written(x) for x in meant]).doubt


def test_a_unit_that_only_some_numbers_have_is_told():
    found = seen_of([f"{n}.50 CR" if n % 3 else f"{n}.25" for n in range(1, ROWS)])
    assert "1.50 CR and 3.25 are read as of one unit" in found.doubt
    for same in (
        [f"${n}" if n % 3 else "0" for n in range(ROWS)],
        [f"{n} kg" for n in range(ROWS)],
    ):
        assert "of one unit" not in (seen_of(same).doubt or "")


def test_thousands_beside_whole_numbers_that_have_none_are_asked_about():
    texts = [f"{1000 + n * 70 % 9000:,}" if n % 2 else str(1000 + n * 7) for n in range(ROWS)]
    found = seen_of(texts)
    assert "is it not " in found.doubt
    assert found.is_open
