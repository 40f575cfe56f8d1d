"""Parameters: which ones each family of models knows, by the one name that we write.

A misspelled parameter is not ignored: it does not load. Sources: LightGBM 4.6 and XGBoost 3,
«Parameters»; those that only concern files, clusters or other objectives are left out.
"""

from typing import Any

SEED = 20050401
# What training sets itself, so that the same recipe gives the same bytes. The number of threads
# is part of the result: sums of gradients are split by it.
FIXED: dict[str, dict[str, Any]] = {
    "lightgbm": {
        "objective": "binary",
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 2,
        "seed": SEED,
        "verbosity": -1,
    },
    "xgboost": {"tree_method": "hist", "random_state": SEED},
}
LIGHTGBM = """
bagging_fraction bagging_freq bagging_seed bin_construct_sample_cnt boost_from_average boosting
cat_l2 cat_smooth categorical_feature data_random_seed data_sample_strategy drop_rate drop_seed
enable_bundle extra_seed extra_trees feature_fraction feature_fraction_bynode
feature_fraction_seed feature_pre_filter interaction_constraints is_unbalance lambda_l1
lambda_l2 learning_rate linear_lambda linear_tree max_bin max_bin_by_feature max_cat_threshold
max_cat_to_onehot max_delta_step max_depth max_drop min_data_in_bin min_data_in_leaf
min_data_per_group min_gain_to_split min_sum_hessian_in_leaf monotone_constraints
monotone_constraints_method monotone_penalty neg_bagging_fraction num_grad_quant_bins num_leaves
objective_seed other_rate path_smooth pos_bagging_fraction quant_train_renew_leaf
scale_pos_weight sigmoid skip_drop stochastic_rounding top_rate uniform_drop use_missing
use_quantized_grad xgboost_dart_mode zero_as_missing
"""
XGBOOST = """
base_score booster colsample_bylevel colsample_bynode colsample_bytree gamma grow_policy
interaction_constraints learning_rate max_bin max_cat_threshold max_cat_to_onehot max_delta_step
max_depth max_leaves min_child_weight monotone_constraints num_parallel_tree reg_alpha
reg_lambda sampling_method scale_pos_weight subsample
"""
KNOWN: dict[str, frozenset[str]] = {
    "lightgbm": frozenset(LIGHTGBM.split()),
    "xgboost": frozenset(XGBOOST.split()),
}
FAMILIES = tuple(sorted(KNOWN))
# Families whose parameters the search can vary (see search.py).
SEARCHED = ("lightgbm",)
