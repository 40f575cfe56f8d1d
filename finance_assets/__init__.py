"""finance_assets: a strict, provable Data + ML pipeline as a Dagster asset graph.

The package root holds only what every part may know: the version. See docs/architecture for
the map of the folders and the direction of imports between them.
"""

__version__ = "0.1.0"
