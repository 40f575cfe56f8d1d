"""Months as partitions."""

import pytest

from finance_assets.lakehouse.windows import Calendar, Window, shift_month


def test_shifting_a_month_crosses_the_year_in_both_directions():
    assert shift_month("2005-12", 1) == "2006-01"
    assert shift_month("2005-01", -1) == "2004-12"
    assert shift_month("2005-06", -18) == "2003-12"


def test_a_window_lists_its_months_and_selects_exactly_them():
    window = Window("2005-11", "2006-02")
    assert list(window) == ["2005-11", "2005-12", "2006-01", "2006-02"]
    assert window.predicate("m") == "m >= '2005-11' AND m <= '2006-02'"
    assert str(window) == "2005-11..2006-02"


def test_a_window_cannot_end_before_it_begins():
    with pytest.raises(ValueError, match="before it begins"):
        Window("2005-05", "2005-04")


def test_a_calendar_knows_its_months():
    calendar = Calendar("2005-04", "2005-06")
    assert calendar.partitions() == ["2005-04", "2005-05", "2005-06"]
    assert calendar.through("2005-05") == ["2005-04", "2005-05"]
    assert calendar.has("2005-06")
    assert not calendar.has("2005-07")
