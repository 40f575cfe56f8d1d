"""Defaults: bounds and parameters for a binary problem about which nothing is known yet.

They come from what a decision has to be worth, never from a use case's data: a generated use case
begins with them, and whoever knows the problem changes them there, with a reason.
"""

from finance_assets.ml.gate import Gate
from finance_assets.ml.tasks.binary import criteria
from finance_assets.ml.tasks.binary.costs import CostMatrix

# Below 0.65 a ranking is hardly worth the process around it. The leakage bounds are for few
# features, of which one may well matter much; with many of them they can be narrower.
GATE = Gate(
    (
        criteria.Discrimination(min_auc=0.65),
        criteria.BeatsChampion(min_gain=0.002),
        criteria.Calibration(max_error=0.05, max_shift=0.5),
        criteria.BusinessCost(),
        criteria.BeatsBaselines(cost_margin=0.02),
        criteria.Stability(max_psi=0.25),
        criteria.Fairness(min_ratio=0.8, max_gap=0.1),
        criteria.Leakage(max_auc=0.95, max_over_naive=0.1, max_unique=0.1),
        criteria.EnoughRows(min_rows=1000, min_positives=100),
    )
)
# A needless intervention costs one; an event that nobody saw coming five.
COSTS = CostMatrix(flagged_good=1.0, missed_bad=5.0)
PARAMS = {"learning_rate": 0.1, "max_depth": 3, "min_child_weight": 10.0}
ROUNDS = 80
MIN_GROUP_ROWS = 300
# The fewest that EnoughRows takes as a bound, twice: to learn from, and to measure on.
LEAST_ROWS, LEAST_OF_A_CLASS = 2 * 200, 2 * 50
# The AUC of a single column from which it is the outcome itself, and no feature.
GIVES_AWAY = 0.98
