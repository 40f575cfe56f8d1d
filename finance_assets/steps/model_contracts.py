"""Contracts of the tables that every model brings: candidates, evaluation, champions,
predictions, drift. They are the same for every use case but for its name and key.
"""

from finance_assets.lakehouse.contract import Column, Contract, RowRule
from finance_assets.ml.spec import ModelSpec

_AS_OF = Column("as_of_month", "string", "Partition as of which the model was trained (YYYY-MM)")


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
        ),
        key=("as_of_month",),
        partition_column="as_of_month",
        min_rows=1,
    )


def evaluation_contract(spec: ModelSpec) -> Contract:
    """One row per as-of month, model and holdout month (and 'all')."""
    return Contract(
        table=f"models.{spec.name}_evaluation",
        description="Candidate and champion on the same temporal holdout, month by month.",
        columns=(
            _AS_OF,
            Column("role", "string", "candidate or champion"),
            Column("model_version", "string", "Version in the model registry"),
            Column("holdout_month", "string", "Feature month, or 'all'"),
            Column("rows", "bigint", "Rows scored"),
            Column("positives", "bigint", "Of these, rows with the outcome"),
            Column("auc", "double", "Area under the ROC curve"),
            Column("pr_auc", "double", "Average precision"),
            Column("brier", "double", "Mean squared distance of score and outcome"),
            Column("calibration_error", "double", "Mean distance of score and rate, ten bins"),
            Column("ks", "double", "Largest distance of true and false positive rate"),
            Column("lift_top_decile", "double", "Rate in the top tenth / overall rate"),
            Column("lift_by_decile", "string", "The same for all tenths, JSON"),
        ),
        key=("as_of_month", "role", "holdout_month"),
        partition_column="as_of_month",
        row_rules=(
            RowRule("role_known", "role IN ('candidate', 'champion')", "Only these are measured."),
            RowRule("auc_range", "auc >= 0 AND auc <= 1", "An area is between 0 and 1."),
        ),
        min_rows=2,
    )


def champion_contract(spec: ModelSpec) -> Contract:
    """One row per as-of month with a decision: the history of promotions."""
    return Contract(
        table=f"models.{spec.name}_champion",
        description="The decision on each candidate, and the champion in force from then on.",
        columns=(
            _AS_OF,
            Column("candidate_version", "string", "Version that was judged"),
            Column("is_promoted", "boolean", "Whether it became champion"),
            Column("failed_criteria", "string", "Criteria that did not pass, by comma"),
            Column("champion_version", "string", "Champion after the decision", is_nullable=True),
            Column("champion_as_of", "string", "As-of month of that champion", is_nullable=True),
            Column("gate_report", "string", "The whole report, JSON"),
        ),
        key=("as_of_month",),
        partition_column="as_of_month",
        min_rows=1,
    )


def prediction_contract(spec: ModelSpec) -> Contract:
    """One row per key: score, band and which model on which data said so."""
    bands = ", ".join(f"'{band.name}'" for band in spec.bands)
    return Contract(
        table=f"predictions.{spec.name}",
        description="Scores by the champion in force at the month; no rows before the first one.",
        columns=(
            *(spec.features.passed_on(name) for name in spec.key),
            Column("score", "double", "Probability of the outcome"),
            Column("band", "string", "Declared range that the score falls into"),
            Column("model_version", "string", "Version that scored the row"),
            Column("data_version", "string", "Feature table and its Delta version"),
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
            Column(partition, "string", "Month that was scored (YYYY-MM)"),
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
