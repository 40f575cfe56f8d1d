"""The weeks of two_sources."""

from finance_assets.calendar import Calendar, Frequency

CALENDAR = Calendar(Frequency.weekly, "2024-01-01", "2024-02-19", timezone="Europe/Vienna")
SECOND_WEEK = CALENDAR.partitions()[1]
