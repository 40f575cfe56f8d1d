"""Partitions: calendars and inputs in Dagster's terms."""

from functools import lru_cache

import dagster as dg

from finance_assets.lakehouse.windows import Calendar, shift_month
from finance_assets.step.declaration import Input


@lru_cache
def partitions_of(calendar: Calendar) -> dg.MonthlyPartitionsDefinition:
    """The monthly partitions of a calendar."""
    return dg.MonthlyPartitionsDefinition(
        start_date=calendar.first, end_date=shift_month(calendar.last, 1), fmt="%Y-%m"
    )


def partition_mapping(item: Input) -> dg.TimeWindowPartitionMapping:
    """Which upstream partitions an input's partition reads; those that do not exist are fine."""
    return dg.TimeWindowPartitionMapping(
        start_offset=item.first_offset,
        end_offset=item.last_offset,
        allow_nonexistent_upstream_partitions=True,
    )
