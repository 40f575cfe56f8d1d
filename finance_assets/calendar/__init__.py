"""The calendar of a use case: its partitions, the windows over them, and when they are due.

The only place where time is computed with: what a partition is called, which one comes next,
which ones exist by now, when its delivery is due, and the schedule that follows. Partition keys
sort as text in the order of time. Dagster's own partition objects do not belong here;
assets/partitions.py makes them from a calendar.
"""

from finance_assets.calendar.calendar import DUE, Calendar, moment
from finance_assets.calendar.frequency import Frequency, sql_days
from finance_assets.calendar.window import Window

__all__ = ["DUE", "Calendar", "Frequency", "Window", "moment", "sql_days"]
