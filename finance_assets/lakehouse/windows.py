"""The former name of the calendar's window, until nothing imports it from here any more."""

from finance_assets.calendar import Calendar, Window

__all__ = ["Calendar", "Window"]
