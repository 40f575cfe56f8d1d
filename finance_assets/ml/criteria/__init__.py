"""The criteria that judge candidates of every task: each a frozen dataclass of bounds.

Those of a task are beside it (tasks/<task>/criteria). A use case declares the list (see gate.py
for what it cannot leave out). No criterion reads anything but the evidence.
"""
