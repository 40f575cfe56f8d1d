"""Baselines: the six tables of credit_default as a good engineer would write them by hand.

Without audit, ledger, fingerprints and the rest of what the pipeline promises, but with equal rows:
a test compares them. Each has `run(deliveries, lake)`, month by month as deliveries come.
"""
