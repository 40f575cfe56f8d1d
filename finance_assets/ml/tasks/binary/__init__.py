"""Binary classification: the probability of an event, and what is decided on it."""

from finance_assets.ml.tasks.binary.costs import CostMatrix
from finance_assets.ml.tasks.binary.reasons import ReasonCodes
from finance_assets.ml.tasks.binary.task import Band, Binary

__all__ = ["Band", "Binary", "CostMatrix", "ReasonCodes"]
