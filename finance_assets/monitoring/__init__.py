"""What moved, and what follows from it. Pure: no engine, no store, no Dagster."""
