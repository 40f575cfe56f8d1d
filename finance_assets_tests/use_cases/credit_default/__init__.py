"""Tests of the use case credit_default, and the only ones that may name it."""
