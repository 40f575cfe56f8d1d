"""Tests of the sources: every format, its promises and its messages."""
