"""Tests of the use case customer_churn, and the only ones that may name it."""
