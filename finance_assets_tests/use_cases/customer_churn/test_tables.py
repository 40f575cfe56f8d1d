"""The tables of customer_churn: dirt, the shipped data, and each column by its plain definition."""

from collections import Counter
from datetime import date, timedelta

import pandas as pd
import pytest

from finance_assets.use_cases.customer_churn.tables.household_months import HOUSEHOLD_MONTHS
from finance_assets.use_cases.customer_churn.use_case import CALENDAR, TABLES
from finance_assets_tests.lineage_by_change import undeclared_lineage
from finance_assets_tests.use_cases.customer_churn.deliveries import REGISTER, TILLS, shipped
from finance_assets_tests.use_cases.customer_churn.dirt import DIRT, DIRTY_MONTH

MONTHS = CALENDAR.partitions()
GOLD, LABELS = HOUSEHOLD_MONTHS.table, "labels.customer_churn_labels"


def begins(month: str) -> date:
    return CALENDAR.frequency.first_day(CALENDAR.frequency.parse(month))


def ends(month: str) -> date:
    return begins(CALENDAR.shift(month, 1)) - timedelta(days=1)


@pytest.fixture(scope="module")
def bought(some):
    """The good baskets, with the day where the stores are."""
    rows = pd.DataFrame(some.rows("silver.baskets"))
    at = pd.to_datetime(rows["purchased_at"], utc=True).dt.tz_convert("America/New_York")
    money = [name for name in rows.columns if name.endswith("_usd")]
    return rows.assign(day=at.dt.date, **{name: rows[name].astype(float) for name in money})


def test_no_dirt_becomes_a_purchase_and_none_is_lost_in_silence(some):
    good = {row["basket_id"] for row in some.rows("silver.baskets")}
    rejected = {row["basket_id"]: row["_reasons"] for row in some.rows("silver.baskets_quarantine")}
    for basket, (_, reason) in DIRT.items():
        if reason is None:
            assert int(basket) in good, basket
        else:
            assert int(basket) not in good, basket
            assert rejected[basket].startswith(reason), rejected[basket]
    assert rejected["920"].startswith("conflicting_duplicate")
    ledger = some.lakehouse.history("silver.baskets").ledgers()[DIRTY_MONTH]
    assert ledger.duplicates == 1
    assert ledger.is_balanced


def test_each_column_of_a_household_and_month_is_what_its_definition_says(some, bought):
    registered = {row["household_id"]: row for row in some.rows("silver.households")}
    found = {(row["household_id"], row["month"]): row for row in some.rows(GOLD)}
    expected = {}
    for place, month in enumerate(MONTHS[:5]):
        known = MONTHS[max(0, place - 2) : place + 1]
        for household, rows in bought[bought["month"].isin(known)].groupby("household_id"):
            expected[household, month] = looked_at(rows, known, registered.get(household, {}))
    assert found.keys() == expected.keys()
    for key, row in expected.items():
        for name, value in row.items():
            is_number = isinstance(value, float)
            wanted = pytest.approx(value, rel=1e-12) if is_number else value
            assert found[key][name] == wanted, (key, name)
    pauses = [row for row in expected.values() if row["baskets_1m"] == 0]
    assert len(pauses) > 20, "hardly anybody pauses; the data proves too little"


def looked_at(rows: pd.DataFrame, known: list[str], registered: dict) -> dict:
    """A household's baskets of the months known, as they look at the end of the last of them."""
    month, before = known[-1], known[-2] if len(known) > 1 else None
    days = sorted(set(rows["day"]))
    quiet = (ends(month) - days[-1]).days
    gap = (days[-1] - days[0]).days / (len(days) - 1) if len(days) > 1 else None
    spend, baskets = rows["sales_usd"].sum(), len(rows)
    off = rows[["retail_discount_usd", "coupon_discount_usd", "coupon_match_usd"]].sum().sum()
    now, last = rows[rows["month"] == month], rows[rows["month"] == before]
    return {
        "history_months": len(known),
        "days_since_purchase": quiet,
        "baskets_1m": len(now),
        "days_per_basket": ((ends(month) - begins(known[0])).days + 1) / baskets,
        "days_between_visits": gap,
        "overdue_ratio": quiet / gap if gap else None,
        "spend_1m_usd": now["sales_usd"].sum(),
        "spend_per_month_usd": spend / len(known),
        "spend_per_basket_usd": spend / baskets,
        "discount_share": off / (spend + off),
        "weekend_share": sum(day.weekday() >= 5 for day in rows["day"]) / baskets,
        "baskets_change_1m": len(now) - len(last) if before else None,
        "spend_change_1m_usd": now["sales_usd"].sum() - last["sales_usd"].sum() if before else None,
        "baskets_trend_3m": len(now) / (baskets / 3) if len(known) == 3 else None,
        "spend_trend_3m": now["sales_usd"].sum() / (spend / 3) if len(known) == 3 else None,
        "is_registered": bool(registered),
        "age_band": registered.get("age"),
        "marital_status": registered.get("marital_status"),
    }


def test_who_buys_nothing_for_28_days_has_left_and_the_next_month_knows(some, bought):
    labels = {(row["household_id"], row["month"]): row for row in some.rows(LABELS)}
    asked = {(row["household_id"], row["month"]) for row in some.rows(GOLD)}
    assert labels.keys() == {key for key in asked if key[1] < MONTHS[4]}
    late = 0
    for (household, month), row in labels.items():
        days = bought[bought["household_id"] == household]["day"]
        after = [(day - ends(month)).days for day in days if day > ends(month)]
        assert row["is_churned"] == (not any(day <= 28 for day in after)), (household, month)
        assert row["known_in"] == CALENDAR.shift(month, 1)
        assert ends(month) + timedelta(days=28) <= ends(row["known_in"])
        late += bool(after) and min(after) in (29, 30, 31)
    assert late, "nobody came back on the days after the 28th; the data proves too little"


def test_nothing_changes_a_feature_but_what_it_says_it_is_made_of(spark):
    features = next(table for table in TABLES if table.table.startswith("features."))
    assert undeclared_lineage(spark, features, MONTHS[:2]) == {}


def test_the_shipped_deliveries_are_the_documented_data():
    baskets = pd.concat(shipped(TILLS, month).assign(month=month) for month in MONTHS)
    assert len(baskets) == 155_848
    assert baskets["household_id"].nunique() == 2_469
    assert baskets["lines"].astype(int).sum() == 1_469_307
    assert baskets["zero_quantity_lines"].astype(int).sum() == 8_869
    assert (baskets["sales_value"].astype(float) <= 0).sum() == 478
    assert baskets["sales_value"].str.replace(".", "", regex=False).astype(int).sum() == 459603958


def test_of_the_shipped_households_about_one_in_seven_leaves_in_a_month():
    """From March on, when three months are known; before, fewer households can be asked about."""
    baskets = pd.concat(shipped(TILLS, month).assign(month=month) for month in MONTHS)
    stamps = pd.to_datetime(baskets["transaction_timestamp"], utc=True)
    baskets["day"] = stamps.dt.tz_convert("America/New_York").dt.date
    rates = {}
    for place, month in enumerate(MONTHS[2:-1], 2):
        asked = set(baskets[baskets["month"].isin(MONTHS[place - 2 : place + 1])]["household_id"])
        after = baskets["day"].map(lambda day, end=ends(month): (day - end).days)
        rates[month] = 1 - len(asked & set(baskets[after.between(1, 28)]["household_id"])) / len(
            asked
        )
    assert 0.1298 < min(rates.values()) < max(rates.values()) < 0.1561, rates


def test_the_stamps_are_utc_and_new_years_eve_is_decembers():
    """By the hour where the stores are, nights are quiet at one time of the clock all year."""
    quietest = {}
    for month in (MONTHS[0], MONTHS[6]):
        stamps = pd.to_datetime(shipped(TILLS, month)["transaction_timestamp"], utc=True)
        local = Counter(stamps.dt.tz_convert("America/New_York").dt.hour)
        stamped = Counter(stamps.dt.hour)
        quietest[month] = [min(hours, key=hours.get) for hours in (local, stamped)]
    assert [local for local, _ in quietest.values()] == [4, 4]
    assert [stamped for _, stamped in quietest.values()] == [9, 8]
    december = shipped(TILLS, MONTHS[11])["transaction_timestamp"]
    assert (december >= "2018-01-01").sum() == 86


def test_the_register_knows_who_stays_and_is_no_feature():
    """None of its households left, of those that bought as much as the others: it looked ahead."""
    known = set(shipped(REGISTER, MONTHS[0])["household_id"])
    assert len(known) == 801
    bought = {month: set(shipped(TILLS, month)["household_id"]) for month in MONTHS}
    early, late = set.union(*map(bought.get, MONTHS[:3])), set.union(*map(bought.get, MONTHS[9:]))
    assert not (early & known) - late
    assert len((early - known) - late) > 100
    features = next(table for table in TABLES if table.table.startswith("features."))
    made_of = {source for column in features.contract.columns for source in column.derived_from}
    assert not {source for source in made_of if source.endswith(("is_registered", "_band"))}
