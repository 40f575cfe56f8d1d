"""Tests of the use case fx_forecast, and the only ones that may name it."""
