"""Corrected flights bring the months that look back at them, once; a month has four files."""

from finance_assets_tests.landing import Daemon, check_redelivery
from finance_assets_tests.use_cases.late_delivery.small import (
    MONTHS,
    deliver,
    made_of,
    some_flights,
)


def test_a_correction_of_flights_brings_the_months_that_look_back_at_it(settings, spark):
    daemon = Daemon(made_of(last=MONTHS[2]), settings, spark)
    check_redelivery(
        daemon,
        lambda folder, month: deliver(folder, month, some_flights(month, 40)),
        lambda folder, month: deliver(folder, month, some_flights(month, 40)[:-1]),
    )
