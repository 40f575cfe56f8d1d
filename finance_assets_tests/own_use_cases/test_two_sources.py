"""A use case of several sources, built from scratch: from its files to predictions and drift."""

import pytest

from finance_assets.model_life.chain import read_history
from finance_assets.step.declaration import Kind
from finance_assets_tests.own_use_cases.two_sources.calendar import CALENDAR
from finance_assets_tests.own_use_cases.two_sources.deliveries import CUSTOMERS, deliver
from finance_assets_tests.own_use_cases.two_sources.use_case import USE_CASE
from finance_assets_tests.running import UseCaseRunner

WEEKS = CALENDAR.partitions()


@pytest.fixture
def phone(settings, spark):
    """All weeks delivered."""
    runner = UseCaseRunner(USE_CASE, settings, spark)
    for week in WEEKS:
        deliver(runner.folder(), week)
    return runner


def test_from_the_files_to_a_champion_its_predictions_and_their_drift(phone):
    as_of, after = WEEKS[3], WEEKS[4]
    phone.run_tables(WEEKS[0], after)
    people = phone.rows("silver.phone_customers", lambda row: row["delivered_for"] == after)
    assert len(people) == CUSTOMERS
    by_number = {row["customer"]: row for row in people}
    assert by_number[97]["fee"] is None, "NA stands for nothing"
    assert by_number[1]["region"] == "Süd"
    assert (by_number[1]["rebate"], by_number[3]["rebate"]) == (None, 10)
    [refused] = phone.rows(
        "silver.phone_customers_quarantine", lambda row: row["delivered_for"] == after
    )
    assert refused["_reasons"].startswith("region_known")
    [usage] = phone.rows(
        "silver.phone_usage", lambda row: (row["customer"], row["delivered_for"]) == (89, after)
    )
    assert usage["dropped"] is None
    assert phone.rows("labels.phone_labels", lambda row: row["known_in"] == WEEKS[0]) == []
    phone.run_model(as_of)
    [candidate] = phone.rows(phone.key(Kind.training))
    assert candidate["train_rows"] == 2 * CUSTOMERS
    [event] = read_history(phone.lakehouse, USE_CASE.name).events
    assert (event.event, event.effective_from) == ("promoted", after)
    phone.run_scoring(after)
    assert len(phone.rows(phone.key(Kind.scoring))) == CUSTOMERS
    drift = {row["variable"] for row in phone.rows(phone.key(Kind.monitoring))}
    assert drift == {*USE_CASE.model.feature_names, "score"}


def test_nothing_of_it_is_written_twice():
    """What follows from the source or the inputs is the same object all the way down."""
    by_key = {step.key: step.contract for step in USE_CASE.steps}
    text = {c.name: c for c in by_key["bronze.phone_customers_deliveries"].columns}
    assert text["fee"].null_tokens == ("NA", "?")
    fee = {c.name: c for c in by_key["silver.phone_customers"].columns}["fee"]
    passed_on = {c.name: c for c in by_key["gold.phone_customer_weeks"].columns}["fee"]
    assert (passed_on.description, passed_on.unit) == (fee.description, fee.unit)
    assert passed_on.derived_from == ("silver.phone_customers.fee",)
