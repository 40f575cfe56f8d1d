"""A file that nobody wrote for this: monthly prices of shares, as a package that is installed has them.

Below a line of where they come from stand 390 months from 1990 on. Between them lie days on which a
dividend was paid, without a price, and four of the companies were not listed yet.
"""

from pathlib import Path

import matplotlib as mpl
import pytest

from finance_assets.calendar import Frequency
from finance_assets.scaffold.plan import Role
from finance_assets.scaffold.planning import make_plan
from finance_assets.scaffold.reading import read_files
from finance_assets.scaffold.request import Request
from finance_assets_tests.scaffold.files import column

SHARES = Path(mpl.get_data_path()) / "sample_data" / "Stocks.csv"


@pytest.fixture(scope="module")
def plan():
    asked = Request("share_price", (SHARES,), "IBM", key=("Date",), time="Date")
    return make_plan(asked, read_files(asked), "somewhere.share_price", ())


def test_its_rows_become_months_and_none_is_lost(plan):
    lines = [line for line in SHARES.read_text().splitlines() if line[:1].isdigit()]
    assert plan.rows == sum(plan.written.values()) == len(lines)
    assert (plan.split.frequency, plan.split.gaps) == (Frequency.monthly, ())
    assert (plan.split.calendar[0], plan.split.calendar[-1]) == ("1990-01", "2022-06")
    assert ("1 lines above the header", "left out") in {
        (d.choice, d.reason) for d in plan.decisions
    }


def test_its_price_is_forecast_from_the_month_before(plan):
    assert (plan.outcome.task, plan.naive) == ("regression", "ibm_before")
    assert column(plan, "IBM").is_nullable
    others = {c.at_source: c.role for c in plan.columns if c.at_source not in ("Date", "IBM")}
    assert set(others.values()) == {Role.feature}
    assert {"^GSPC", "DELL"} <= set(others)


def test_its_long_past_is_made_in_one_run_and_measured_as_the_gate_asks(plan):
    assert plan.played_from == "2021-07"
    assert plan.holdout >= 200
    assert plan.tested < len(plan.split.calendar)
