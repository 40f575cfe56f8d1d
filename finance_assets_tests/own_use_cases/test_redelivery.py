"""A corrected delivery in a use case of one's own brings its day and its outcomes, once."""

from finance_assets.settings import get_settings
from finance_assets.use_cases import all_use_cases
from finance_assets_tests.landing import Daemon, check_redelivery
from finance_assets_tests.own_use_cases.live.deliveries import Day, deliver
from finance_assets_tests.own_use_cases.live.use_case import NAME


def test_a_correction_brings_the_day_and_its_outcomes(settings, spark, monkeypatch):
    monkeypatch.setenv("FINANCE_ASSETS_USE_CASES", "finance_assets_tests.own_use_cases.live")
    get_settings.cache_clear()
    check_redelivery(
        Daemon(all_use_cases()[NAME], settings, spark),
        lambda folder, day: deliver(folder.parent, NAME, {}, day),
        lambda folder, day: deliver(folder.parent, NAME, {day: Day(minutes=0.1)}, day),
    )
