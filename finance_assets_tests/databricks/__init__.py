"""A stand-in for a Databricks workspace, and the tests against it.

It speaks the workspace's REST API on loopback, and really runs the tasks it is given.
"""
