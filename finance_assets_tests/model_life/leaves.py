"""Models with other leaves than were fitted, written as the library itself would write them."""

import json
import math
from collections.abc import Callable

from finance_assets.ml.families.xgboost import XGBOOST


def with_leaves(text: str, change: Callable[[float], float]) -> str:
    """The text of an XGBoost model with each leaf value changed."""
    record = json.loads(text)
    for tree in record["learner"]["gradient_booster"]["model"]["trees"]:
        # A leaf's value stands where an inner node has its split.
        tree["split_conditions"] = [
            change(value) if left == -1 else value
            for left, value in zip(tree["left_children"], tree["split_conditions"], strict=True)
        ]
    return XGBOOST.load(json.dumps(record)).booster.save_raw("json").decode()


def with_base_rate(text: str, rate: float) -> str:
    """The text of an XGBoost model that begins from another rate."""
    record = json.loads(text)
    record["learner"]["learner_model_param"]["base_score"] = f"[{rate!r}]"
    return XGBOOST.load(json.dumps(record)).booster.save_raw("json").decode()


def shifted(rate: float, by: float) -> float:
    """A rate whose log-odds are moved."""
    return 1 / (1 + math.exp(-(math.log(rate / (1 - rate)) + by)))
