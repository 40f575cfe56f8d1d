"""Homes that the tests of the use case share."""

import pytest

from finance_assets.settings import Settings
from finance_assets.use_cases.customer_churn.use_case import CALENDAR, USE_CASE
from finance_assets_tests.running import UseCaseRunner, fresh_home
from finance_assets_tests.use_cases.customer_churn.deliveries import deliver
from finance_assets_tests.use_cases.customer_churn.dirt import with_dirt

MONTHS = CALENDAR.partitions()


@pytest.fixture(scope="package")
def some(tmp_path_factory, spark, mlflow_store):
    """The tables of January to May for one household in ten, with dirt in February."""
    home = fresh_home(Settings(), tmp_path_factory.mktemp("some_households"), mlflow_store)
    runner = UseCaseRunner(USE_CASE, home, spark)
    for month in MONTHS[:5]:
        deliver(runner.folder(), month, one_in=10, change=with_dirt(month))
    runner.run_tables(MONTHS[0], MONTHS[4])
    return runner


@pytest.fixture(scope="package")
def all_of_it(tmp_path_factory, spark, mlflow_store):
    """The tables of the shipped deliveries up to October."""
    home = fresh_home(Settings(), tmp_path_factory.mktemp("all_households"), mlflow_store)
    runner = UseCaseRunner(USE_CASE, home.model_copy(update={"landing": None}), spark)
    runner.run_tables(MONTHS[0], MONTHS[9])
    return runner
