"""Regression: how much it will be, with an interval that says how sure that is."""

from finance_assets.ml.tasks.regression.task import Regression

__all__ = ["Regression"]
