"""Steps: the units of work of every use case. Everything that runs is a step.

A step knows the lakehouse, the models and the use case's declarations. It does not know what
runs it: Dagster, a Databricks task and a test call the same function.
"""
