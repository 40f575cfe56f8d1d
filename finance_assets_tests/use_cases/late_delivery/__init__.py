"""Tests of the use case late_delivery, and the only ones that may name it."""
