"""Labelled rows: cutting them by time, and leaving some out, copies as little as can be."""

import numpy as np
import pandas as pd
import pytest

from finance_assets.errors import ModelError
from finance_assets.ml.frames import LabelledRows, with_groups
from finance_assets_tests.scenario import APRIL, AUGUST, CALENDAR, JULY, JUNE, MAY, MODEL


@pytest.fixture
def rows(spark):
    """Rows as they are once they were read: in the order of their months."""
    months = np.repeat([APRIL, MAY, JULY, AUGUST], [3, 2, 4, 1])
    frame = pd.DataFrame({MODEL.partition_column: months.astype(object), "value": np.arange(10.0)})
    plan = spark.createDataFrame(frame)
    found = LabelledRows(MODEL, CALENDAR.window(APRIL, AUGUST), plan)
    found.__dict__["frame"] = frame
    return found


@pytest.mark.parametrize(
    ("first", "last", "values"),
    [
        (APRIL, AUGUST, range(10)),
        (APRIL, MAY, range(5)),
        (MAY, JULY, range(3, 9)),
        (JUNE, JUNE, ()),
        (JUNE, AUGUST, range(5, 10)),
    ],
)
def test_rows_of_some_partitions_are_cut_from_the_frame_without_a_copy(rows, first, last, values):
    cut = rows.within(CALENDAR.window(first, last)).frame
    assert cut["value"].tolist() == list(values)
    assert cut.index.tolist() == list(range(len(values)))
    assert rows.frame.index.tolist() == list(range(10))
    if values:
        assert np.shares_memory(cut["value"].to_numpy(), rows.frame["value"].to_numpy())


def test_a_row_that_two_rows_put_into_groups_is_refused_and_not_doubled(spark):
    """Whoever measures a candidate or a month would put it into either group, as it comes."""
    frame = pd.DataFrame({"account_id": [2, 1, 3], "statement_month": APRIL, "score": 0.5})
    known = pd.DataFrame(
        {"account_id": [1, 2], "statement_month": APRIL, "sex": ["male", "female"]}
    )
    known = known.assign(marital_status="single", age_years=30)
    found = with_groups(MODEL, frame, lambda _: spark.createDataFrame(known))
    assert found["account_id"].tolist() == [2, 1, 3]
    assert found["sex"].fillna("none").tolist() == ["female", "male", "none"]
    twice = pd.concat([known, known.head(1).assign(sex="female")])
    with pytest.raises(ModelError, match="two rows have the same account_id, statement_month"):
        with_groups(MODEL, frame, lambda _: spark.createDataFrame(twice))
