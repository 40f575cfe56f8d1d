"""Partitions: calendars and inputs in Dagster's terms."""

from functools import lru_cache

import dagster as dg

from finance_assets.calendar import Calendar
from finance_assets.step.declaration import Input


@lru_cache
def partitions_of(calendar: Calendar) -> dg.TimeWindowPartitionsDefinition:
    """The partitions of a calendar; of an open one those that exist when they are asked for."""
    last = calendar.last
    return dg.TimeWindowPartitionsDefinition(
        start=calendar.first,
        end=None if last is None else calendar.shift(last, 1),
        fmt=calendar.frequency.pattern,
        timezone=calendar.timezone,
        end_offset=int(calendar.is_growing),
        cron_schedule=calendar.frequency.boundaries,
    )


def partition_mapping(calendar: Calendar, item: Input) -> dg.TimeWindowPartitionMapping:
    """Which upstream partitions an input's partition reads; those that do not exist are fine."""
    past = -calendar.frequency.in_fifty_years
    return dg.TimeWindowPartitionMapping(
        start_offset=past if item.first_offset is None else item.first_offset,
        end_offset=item.last_offset,
        allow_nonexistent_upstream_partitions=True,
    )
