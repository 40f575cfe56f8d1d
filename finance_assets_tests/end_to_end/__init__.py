"""Tests across the whole package, on the real engine, Delta, MLflow and Dagster."""
