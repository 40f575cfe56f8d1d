"""Garbage: how often Python looks for objects that only hold one another.

For the processes that this package begins (commands, code locations, remote tasks). A library that
imports the package keeps its own settings.
"""

import gc

# Python's default of 700 suits programs of a few thousand objects. Dagster, MLflow and our
# declarations make hundreds of thousands that stay. To look at these again and again finds next to
# nothing: frames and tables are freed by their counts.
OBJECTS, GENERATION = 50_000, 20


def collect_rarely() -> None:
    """Look for garbage once in 50,000 new objects."""
    gc.set_threshold(OBJECTS, GENERATION, GENERATION)
