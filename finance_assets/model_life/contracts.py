"""Contracts of the tables that every model brings: candidates, evaluation, predictions, drift.

They are the same for every use case but for its name and key. Those of decisions, looks and
champions are beside their records.
"""

from finance_assets.lakehouse.contract import Column, Contract, RowRule
from finance_assets.ml.reasons import reason_columns
from finance_assets.ml.spec import ModelSpec

_AS_OF = Column("as_of_month", "string", "Partition as of which the model was trained")


def candidate_contract(spec: ModelSpec) -> Contract:
    """One row per as-of month: the version trained then, and what it was trained from."""
    return Contract(
        table=f"models.{spec.name}_candidate",
        description="The candidate trained as of a month, and everything that decided it.",
        columns=(
            _AS_OF,
            Column("model_version", "string", "Version in the model registry"),
            Column("run_id", "string", "MLflow run of the training"),
            Column("dataset_version", "string", "Input tables with their Delta versions"),
            Column("train_window", "string", "Feature months it was fitted on"),
            Column("holdout_window", "string", "Feature months kept for evaluation"),
            Column("train_rows", "bigint", "Rows it was fitted on"),
            Column("train_positives", "bigint", "Of these, rows with the outcome"),
            Column("fingerprint", "string", "Digest of data versions, window and parameters"),
            Column("artifact_sha256", "string", "Digest of the model's text"),
            Column("trained_by", "string", "Who ran the training"),
        ),
        key=("as_of_month",),
        partition_column="as_of_month",
        min_rows=1,
    )


def _measure(name: str, type_: str, description: str) -> Column:
    """A figure that a model which could not be measured does not have."""
    return Column(name, type_, description, is_nullable=True)


EVALUATION_COLUMNS = (
    _AS_OF,
    Column("role", "string", "candidate, champion, scorecard or naive"),
    Column("model_version", "string", "Version in the model registry"),
    Column("model_sha256", "string", "Digest of its text; empty if it could not be read"),
    Column("segment", "string", "'all', or month or group as `column=value`"),
    Column("rows", "bigint", "Rows scored"),
    Column("positives", "bigint", "Of these, rows with the outcome"),
    _measure("auc", "double", "Area under the ROC curve"),
    _measure("pr_auc", "double", "Average precision"),
    _measure("brier", "double", "Mean squared distance of score and outcome"),
    _measure("calibration_error", "double", "Mean distance of score and rate, ten bins"),
    _measure("ks", "double", "Largest distance of true and false positive rate"),
    _measure("lift_top_decile", "double", "Rate in the top tenth / overall rate"),
    _measure("lift_by_decile", "string", "The same for all tenths, JSON"),
    _measure("problem", "string", "Why the model could not be measured"),
    _measure("assessment", "string", "Gain, costs, groups, stability (candidate, all), JSON"),
    _measure("look", "bigint", "How many looks at this holdout there were by then"),
    _measure("retrained_sha256", "string", "Digest of a second training from the recipe"),
    _measure("train_rows", "bigint", "Rows there are to train on as of the month"),
    _measure("train_positives", "bigint", "Of these, rows with the outcome"),
)


def evaluation_contract(spec: ModelSpec) -> Contract:
    """One row per as-of month, model and segment of the holdout."""
    return Contract(
        table=f"models.{spec.name}_evaluation",
        description="Candidate, champion and baselines on the same temporal holdout, as a whole, "
        "by month and by protected group.",
        columns=EVALUATION_COLUMNS,
        key=("as_of_month", "role", "segment"),
        partition_column="as_of_month",
        row_rules=(
            RowRule(
                "role_known",
                "role IN ('candidate', 'champion', 'scorecard', 'naive')",
                "Only these are measured.",
            ),
            RowRule(
                "auc_range",
                "problem IS NOT NULL OR (auc >= 0 AND auc <= 1)",
                "An area is between 0 and 1.",
            ),
        ),
        min_rows=1,
    )


def prediction_contract(spec: ModelSpec) -> Contract:
    """One row per key: score, band and which model on which data said so."""
    bands, codes = ", ".join(f"'{band.name}'" for band in spec.bands), spec.reasons
    return Contract(
        table=f"predictions.{spec.name}",
        description="Scores by the champion in force at the month; no rows before the first one.",
        columns=(
            *(spec.features.passed_on(name) for name in spec.key),
            Column("score", "double", "Probability of the outcome"),
            Column("band", "string", "Declared range that the score falls into"),
            Column("model_version", "string", "Version that scored the row"),
            Column("model_sha256", "string", "Digest of that model's text"),
            Column("data_version", "string", "Feature table and its Delta version"),
            *(
                Column(
                    name,
                    "string",
                    f"{place}. strongest reason that raised the score (band {codes.band} and up)",
                    is_nullable=True,
                )
                for place, name in enumerate(reason_columns(codes), 1)
                if codes
            ),
            Column("scored_at", "timestamp", "When the row was scored (UTC)", is_volatile=True),
        ),
        key=spec.key,
        partition_column=spec.features.partition_column,
        row_rules=(
            RowRule("score_range", "score >= 0 AND score <= 1", "A score is a probability."),
            RowRule("band_known", f"band IN ({bands})", "Only declared bands exist."),
        ),
    )


def drift_contract(spec: ModelSpec) -> Contract:
    """One row per month and variable."""
    partition = spec.features.partition_column
    return Contract(
        table=f"monitoring.{spec.name}_drift",
        description="Each feature's and the score's distance from the champion's reference.",
        columns=(
            Column(partition, "string", "Partition that was scored"),
            Column("variable", "string", "Feature, or 'score'"),
            Column("psi", "double", "Population stability index against the reference"),
            Column("reference_missing_share", "double", "Share of missing values at training"),
            Column("missing_share", "double", "Share of missing values in the month"),
            Column("rows", "bigint", "Rows of the month"),
            Column("model_version", "string", "Champion whose reference was used"),
        ),
        key=(partition, "variable"),
        partition_column=partition,
        row_rules=(RowRule("psi_not_negative", "psi >= 0", "A PSI is a sum of positives."),),
    )
