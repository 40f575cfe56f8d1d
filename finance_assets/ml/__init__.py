"""Models: frames, training, evaluation, gate, registry, scoring. Knows MLflow, never Dagster."""
