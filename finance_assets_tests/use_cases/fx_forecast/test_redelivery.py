"""Corrected rates bring the months that look back at them, once."""

from finance_assets_tests.landing import Daemon, check_redelivery
from finance_assets_tests.use_cases.fx_forecast.deliveries import deliver, shipped, small


def corrected(folder, month):
    days = shipped(month)
    dearer = f"{float(days[-1]['USD']) * 1.001:.4f}"
    deliver(folder, month, [*days[:-1], {**days[-1], "USD": dearer}])


def test_a_correction_of_rates_brings_the_months_that_look_back_at_it(settings, spark):
    daemon = Daemon(small("2025-01", "2025-04"), settings, spark)
    check_redelivery(daemon, lambda folder, m: deliver(folder, m, shipped(m)), corrected)
