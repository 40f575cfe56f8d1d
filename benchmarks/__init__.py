"""Benchmarks: how fast the pipeline is, against what an engineer would write by hand.

Nothing here is a test, and no time decides a test. `make bench` runs them; what they found lies in
docs/benchmarks.
"""
