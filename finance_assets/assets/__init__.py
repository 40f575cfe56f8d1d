"""The Dagster shell: steps as assets with their checks, and what the UI shows of them.

No logic of a step belongs here: an asset runs its step and reports what came back.
"""
