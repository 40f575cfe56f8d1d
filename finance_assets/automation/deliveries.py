"""Deliveries: when the newest one of each partition came from each source, where that is known.

A growing partition is delivered again each day. Where its deliveries broke off, what is in the
tables is a part of it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

import dagster as dg

from finance_assets.automation.stated import said_of
from finance_assets.calendar import Calendar, moment
from finance_assets.lakehouse.sources.source import Source
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.step.records import DELIVERED_AT
from finance_assets.step.use_case import UseCase

# By the table that a source is taken over into, and by partition.
Delivered: TypeAlias = Mapping[str, Mapping[str, datetime]]


def delivered_by_log(lakehouse: Lakehouse, use_case: UseCase) -> Delivered:
    """As the tables' logs have it: the times of the files that the rows are of."""
    return {
        key: {
            partition: at
            for partition, at in lakehouse.history(key).delivered_at().items()
            if source.is_expected(partition)
        }
        for key, source in _growing(use_case)
    }


def delivered_as_stated(instance: dg.DagsterInstance, use_case: UseCase) -> Delivered:
    """The same, as runs stated it; the first versions of this package did not."""
    return {
        key: {
            partition: moment(str(said.facts[DELIVERED_AT]))
            for partition, said in said_of(instance, key).items()
            if DELIVERED_AT in said.facts and source.is_expected(partition)
        }
        for key, source in _growing(use_case)
    }


def broken_off(calendar: Calendar, delivered: Delivered) -> frozenset[str]:
    """The partitions of which some source did not deliver all."""
    return frozenset(
        partition
        for newest in delivered.values()
        for partition, came in newest.items()
        if calendar.has(partition) and calendar.broke_off(partition, came)
    )


def _growing(use_case: UseCase) -> tuple[tuple[str, Source], ...]:
    """Tables whose partitions come bit by bit, with their sources: of any others it does not matter
    when. Nor of what need not come: that cannot break off.
    """
    steps = use_case.steps if use_case.calendar.is_growing else ()
    return tuple((step.key, step.source) for step in steps if step.source is not None)
