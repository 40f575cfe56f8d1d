"""Sabotage: broken candidates, each taken through the real steps, and none of them promoted.

The cases of a file share a home with a champion as of June; each trains a candidate of its own as
of August (a little more regularised, so that no known version is found again), and puts back what
it broke.
"""
