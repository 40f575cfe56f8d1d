"""Defaults: bounds and parameters for a regression about which nothing is known yet.

They come from what a forecast has to be worth, never from a use case's data: a generated use case
begins with them, and whoever knows the problem changes them there, with a reason.
"""

from finance_assets.ml.gate import Gate
from finance_assets.ml.tasks.regression import criteria

COVERAGE = 0.8
# A rule of thumb may know little, such as the last average: a good model then saves much of its
# error, and a single feature tells much of what it missed. So the leakage bounds are wide.
GATE = Gate(
    (
        criteria.Accuracy(max_relative_error=0.9),
        criteria.BeatsBaseline(min_skill=0.02),
        criteria.BeatsChampion(min_gain=0.005),
        criteria.Bias(max_share=0.25),
        criteria.IntervalCoverage(coverage=COVERAGE, max_gap=0.1),
        criteria.Stability(max_psi=0.25),
        criteria.Fairness(max_ratio=1.25),
        criteria.Leakage(max_skill=0.9, max_alone=0.9, max_unique=0.45),
        criteria.EnoughRows(min_rows=200),
    )
)
PARAMS = {"learning_rate": 0.1, "max_depth": 3, "min_child_weight": 10.0}
ROUNDS = 120
MIN_GROUP_ROWS = 100
# The fewest that EnoughRows takes as a bound, twice: to learn from, and to measure on.
LEAST_ROWS = 2 * 30
# The rank correlation of a single column from which it is the outcome itself, and no feature.
GIVES_AWAY = 0.9999
