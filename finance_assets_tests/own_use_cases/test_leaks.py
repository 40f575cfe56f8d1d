"""No use case knows the future: each is run twice, the second time with another future."""

import importlib
import shutil
from dataclasses import replace

import pytest

from finance_assets.calendar import Calendar, Frequency
from finance_assets_tests import outside
from finance_assets_tests.kiosk import CALENDAR as KIOSK_DAYS
from finance_assets_tests.kiosk import Kiosk
from finance_assets_tests.leaks import require_no_leak
from finance_assets_tests.own_use_cases.two_sources import use_case as phone
from finance_assets_tests.own_use_cases.two_sources.deliveries import deliver
from finance_assets_tests.own_use_cases.two_sources.tables.customer_weeks import CUSTOMER_WEEKS
from finance_assets_tests.own_use_cases.two_sources.tables.features import FEATURES
from finance_assets_tests.running import DeliveredRunner, UseCaseRunner, fresh_home
from finance_assets_tests.shop import Shop, ShopRunner

CALENDARS = {
    "daily": Calendar(Frequency.daily, "2024-02-27", "2024-03-05", timezone="Europe/Berlin"),
    "monthly": Calendar(Frequency.monthly, "2024-10", "2025-06"),
}


@pytest.fixture
def home(settings, tmp_path, mlflow_store):
    """Makes a home of its own for each of the two runs."""
    return lambda is_changed: fresh_home(settings, tmp_path / str(is_changed), mlflow_store)


@pytest.mark.parametrize(("frequency", "lag"), [("daily", 0), ("monthly", 2)])
def test_the_shop_knows_nothing_of_later_events_and_outcomes(home, spark, frequency, lag):
    calendar = CALENDARS[frequency]
    names = calendar.partitions()[max(lag - 1, 0) :]

    def make(is_changed):
        changed_from = names[5] if is_changed else "9999"
        return ShopRunner(Shop(calendar, lag, changed_from=changed_from), home(is_changed), spark)

    require_no_leak(make, as_of=names[3], through=names[4])


def test_the_kiosk_that_forecasts_numbers_knows_nothing_of_later_sales(home, spark):
    days = KIOSK_DAYS.partitions()

    def make(is_changed):
        kiosk = Kiosk(changed_from=days[8] if is_changed else "9999")
        return DeliveredRunner(kiosk, home(is_changed), spark)

    require_no_leak(make, as_of=days[5], through=days[7])


def phone_maker(home, spark, through, use_case=phone.USE_CASE):
    def make(is_changed):
        runner = UseCaseRunner(use_case, home(is_changed), spark)
        for week in use_case.calendar.partitions():
            deliver(runner.folder(), week, is_changed and week > through)
        return runner

    return make


def test_the_phone_company_knows_nothing_of_later_deliveries(home, spark):
    weeks = phone.CALENDAR.partitions()
    require_no_leak(phone_maker(home, spark, weeks[5]), as_of=weeks[3], through=weeks[5])


def test_a_use_case_of_ones_own_knows_nothing_of_later_calls(home, spark, tmp_path, monkeypatch):
    """In a package of its own, its outcomes beside their rows."""
    monkeypatch.syspath_prepend(str(tmp_path))
    samples = outside.write_package(tmp_path, "outside_leak", "calls") / "samples"
    calls = importlib.import_module("outside_leak.cases.calls.use_case").USE_CASE

    def make(is_changed):
        runner = UseCaseRunner(calls, home(is_changed), spark)
        shutil.copytree(samples, runner.folder(), dirs_exist_ok=True)
        if is_changed:
            last = runner.folder() / f"customers_{outside.MONTHS[-1]}.csv"
            last.write_text(outside.delivery(100))
        return runner

    require_no_leak(make, as_of=outside.MONTHS[1], through=outside.MONTHS[2])


def test_a_table_that_reads_the_week_after_is_caught(home, spark):
    """Past every declaration: its step reads other partitions than it says."""
    honest = FEATURES
    ahead = replace(
        honest,
        inputs=(CUSTOMER_WEEKS.at(-1, 1),),
        transform=honest.transform.replace(
            Frequency.weekly.sql_shift("delivered_for", 1),
            Frequency.weekly.sql_shift("delivered_for", -1),
        ),
    )
    [leaking] = ahead.steps(phone.NAME, phone.SAMPLES)
    steps = tuple(
        replace(step, run=leaking.run) if step.key == honest.table else step
        for step in phone.USE_CASE.steps
    )
    weeks = phone.CALENDAR.partitions()
    make = phone_maker(home, spark, weeks[5], replace(phone.USE_CASE, steps=steps))
    with pytest.raises(AssertionError, match=f"{honest.table} up to .* knows what came later"):
        require_no_leak(make, as_of=weeks[3], through=weeks[5])
