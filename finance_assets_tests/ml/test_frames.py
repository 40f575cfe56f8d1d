"""Labelled rows: cutting them by time, and leaving some out, copies as little as can be."""

import numpy as np
import pandas as pd
import pytest

from finance_assets.ml.frames import LabelledRows
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
