"""Tests: sentences about behaviour, on the real engine, Delta, MLflow and Dagster."""
