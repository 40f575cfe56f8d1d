"""LightGBM: one booster for a probability, a booster a quantile for a number.

Its wheel needs the system's OpenMP runtime (`libgomp.so.1`), which a bare machine may lack.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from finance_assets.errors import ModelError
from finance_assets.ml.families.family import (
    SEED,
    Family,
    Model,
    Objective,
    Parameter,
    Parameters,
    figures,
    shares,
    unreadable,
)
from finance_assets.ml.families.text_logged import log_text

if TYPE_CHECKING:
    import numpy as np

# Between the texts of several boosters; no line of LightGBM's format is like it.
NEXT = "\n--- next quantile ---\n"
# LightGBM 4.6, «Parameters», without those that only concern files, clusters or other objectives.
KNOWN = """
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


@dataclass(frozen=True)
class LightGbmModel(Model):
    """One booster, or one for each quantile in ascending order."""

    @cached_property
    def boosters(self) -> list[Any]:
        """`lightgbm.Booster` objects.

        Raises:
            ModelError: this version of the library cannot read the text.
        """
        lgb = _library()
        try:
            return [lgb.Booster(model_str=text) for text in self.text.split(NEXT)]
        except lgb.basic.LightGBMError as error:
            raise unreadable(LIGHTGBM.library, error) from error

    def predict(self, rows: "np.ndarray", threads: int = 0) -> "np.ndarray":
        """Probabilities, or quantiles put into order."""
        import numpy as np

        if len(self.boosters) == 1:
            if len(rows) == 0:
                return np.zeros(0)
            return np.asarray(self.boosters[0].predict(rows, num_threads=threads))
        if len(rows) == 0:
            return np.zeros((0, len(self.boosters)))
        columns = [booster.predict(rows, num_threads=threads) for booster in self.boosters]
        return np.sort(np.column_stack(columns), axis=1)

    def contributions(self, rows: "np.ndarray") -> "np.ndarray":
        """LightGBM's SHAP values, without the base value."""
        import numpy as np

        return np.asarray(self._middle.predict(rows, pred_contrib=True))[:, :-1]

    def gain_shares(self) -> dict[str, float]:
        """LightGBM's gain importance."""
        gains = self._middle.feature_importance("gain")
        return shares(dict(zip(self.features, map(float, gains), strict=True)))

    @property
    def _middle(self) -> Any:
        return self.boosters[len(self.boosters) // 2]


@dataclass(frozen=True)
class LightGbm(Family):
    """The family `lightgbm`."""

    name: ClassVar[str] = "lightgbm"
    known: ClassVar[frozenset[str]] = frozenset(KNOWN.split())
    files: ClassVar[tuple[str, ...]] = ("model.lgb", "data/model.txt")
    threads_parameter: ClassVar[str] = "num_threads"

    def fixed(self, objective: Objective, *, is_distributed: bool = False) -> Parameters:
        """The number of threads is part of the result: sums of gradients are split by it."""
        what: dict[str, Parameter] = {"objective": "binary"}
        if objective.quantiles:
            what = {"objective": "quantile", "alpha": list(objective.quantiles)}
        return {
            **what,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 2,
            "seed": SEED,
            "verbosity": -1,
        }

    def fit(
        self,
        params: Parameters,
        rounds: int,
        rows: "np.ndarray",
        outcome: "np.ndarray",
        features: Sequence[str],
    ) -> Model:
        """One training, or one for each quantile on the same binned rows."""
        lgb = _library()
        names = list(features)
        data = lgb.Dataset(rows, label=outcome, feature_name=names, free_raw_data=True)
        alphas = figures(params, "alpha")
        wanted = [{**params, "alpha": alpha} for alpha in alphas] or [dict(params)]
        texts = [lgb.train(one, data, num_boost_round=rounds).model_to_string() for one in wanted]
        return LightGbmModel(NEXT.join(texts), tuple(features))

    def load(self, text: str) -> Model:
        """The features stand in the header line `feature_names=a b c`."""
        for line in text.splitlines():
            if line.startswith("feature_names="):
                return LightGbmModel(text, tuple(line.removeprefix("feature_names=").split(" ")))
        return LightGbmModel(text, ())

    def log(self, model: Model, **common: Any) -> Any:
        """MLflow's own flavour for one booster; for several, one that loads our text."""
        import mlflow

        boosters = model.boosters  # type: ignore[attr-defined]
        if len(boosters) == 1:
            return mlflow.lightgbm.log_model(boosters[0], **common)
        return log_text(model, self.files[1], **common)


LIGHTGBM = LightGbm()


def _library() -> Any:
    """The package, or an error that says what it lacks."""
    try:
        import lightgbm
    except (ImportError, OSError) as error:
        is_runtime = "libgomp" in str(error) or "libomp" in str(error)
        raise ModelError(
            f"family 'lightgbm' cannot be loaded: {error}",
            where="package lightgbm",
            remedy="install the system's OpenMP runtime (Debian: apt-get install libgomp1; macOS: "
            "brew install libomp), or use family='xgboost', which brings its own"
            if is_runtime
            else "pip install lightgbm, or use family='xgboost'",
        ) from error
    return lightgbm
