"""Tasks: the kinds of problem a model solves, each with all that is particular to it.

A task owns its metrics, baselines, mandatory criteria, assessment, score rules, plots and what of
its output is watched for drift. What every model has, whatever its problem, lies above.
"""
