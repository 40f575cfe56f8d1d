"""Databricks: steps as tasks of a workspace's runs. Nothing here is imported at load, and
nothing asks the network before a step runs.
"""
