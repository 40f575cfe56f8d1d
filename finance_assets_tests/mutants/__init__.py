"""Mutants: small faults planted in the code, each of which some test has to notice.

`make mutants` runs them all; it takes too long for every commit.
"""
