"""Contracts of the tables that every model brings: candidates, predictions, drift.

They are the same for every use case but for its name, key and task. Those of evaluations,
decisions, looks and champions are beside their records.
"""

from dataclasses import dataclass

from finance_assets.lakehouse.contract import Contract, RowRule
from finance_assets.lakehouse.record import columns_of, described
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.tasks.task import SCORED_BY
from finance_assets.monitoring.drift import VariableDrift
from finance_assets.monitoring.triage import Action, Triage, Verdict


@dataclass(frozen=True)
class CandidateRecord:
    """The version that was trained as of a partition, and what it was trained from."""

    as_of: str = described("Partition as of which the model was trained")
    model_version: str = described("Version in the model registry")
    run_id: str = described("MLflow run of the training")
    dataset_version: str = described("Input tables with their Delta versions")
    train_window: str = described("Feature partitions it was fitted on")
    holdout_window: str = described("Feature partitions kept for evaluation")
    train_rows: int = described("Rows it was fitted on")
    train_outcomes: str = described("Their outcomes: how many positives, or the mean")
    fingerprint: str = described("Digest of data versions, window and parameters")
    artifact_sha256: str = described("Digest of the model's text")
    trained_by: str = described("Who ran the training")


def candidate_contract(spec: ModelSpec) -> Contract:
    """One row per as-of partition."""
    return Contract(
        table=f"models.{spec.name}_candidate",
        description="The candidate trained as of a partition, and everything that decided it.",
        columns=columns_of(CandidateRecord),
        key=("as_of",),
        partition_column="as_of",
        min_rows=1,
    )


def prediction_contract(spec: ModelSpec) -> Contract:
    """One row per key: what the model says, and which model on which data said so."""
    return Contract(
        table=f"predictions.{spec.name}_predictions",
        description="What the champion in force at the partition says; none before the first one.",
        columns=(
            *(spec.features.passed_on(name) for name in spec.key),
            *spec.task.columns(spec),
            *SCORED_BY,
        ),
        key=spec.key,
        partition_column=spec.features.partition_column,
        row_rules=spec.task.row_rules(spec),
    )


@dataclass(frozen=True)
class DriftRecord:
    """How far a variable moved; the contract names `partition` as the features do."""

    partition: str = described("Partition that was scored")
    variable: str = described("Feature, or what the model says")
    psi: float = described("Population stability index against the reference")
    psi_low: float = described("Lower end of its 95 % interval, chance taken off")
    psi_high: float = described("Upper end of the same")
    psi_chance: float = described("Probability that chance alone parts the samples as far")
    js: float = described("Jensen-Shannon divergence in bits, 0 to 1")
    reference_missing_share: float = described("Share of missing values at training")
    missing_share: float = described("Share of missing values in the partition")
    missing_chance: float = described("Probability of such a difference by chance")
    unseen_share: float = described("Share of rows with codes that training all but never saw")
    unseen_chance: float = described("Probability of that by chance")
    breach_share: float = described("Share of rows outside the range of training")
    breach_chance: float = described("Probability of that by chance")
    counts: str = described("Rows per bin of the reference, JSON")
    seasonal_psi: float | None = described("PSI against the same season of the year before")
    rows: int = described("Rows of the partition")
    model_version: str = described("Champion whose reference was used")
    model_sha256: str = described("Digest of that champion")

    @classmethod
    def of(
        cls, partition: str, found: VariableDrift, rows: int, model_version: str, model_sha256: str
    ) -> "DriftRecord":
        """The record of a variable's drift. Which codes came new is in its counts, and named in
        the evidence of the triage.
        """
        stored = {name: value for name, value in vars(found).items() if name != "unseen_codes"}
        return cls(
            partition, **stored, rows=rows, model_version=model_version, model_sha256=model_sha256
        )


def drift_contract(spec: ModelSpec) -> Contract:
    """One row per partition and variable."""
    partition = spec.partition_column
    return Contract(
        table=f"monitoring.{spec.name}_drift",
        description="Each feature's and the prediction's distance from the champion's reference.",
        columns=columns_of(DriftRecord, partition=partition),
        key=(partition, "variable"),
        partition_column=partition,
        row_rules=(RowRule("psi_not_negative", "psi >= 0", "A PSI is a sum of positives."),),
    )


@dataclass(frozen=True)
class TriageRecord:
    """What is thought of a partition; the contract names `partition` as the features do."""

    partition: str = described("Partition that was scored")
    verdict: str = described("Why it looks as it does; none: nothing moved")
    action: str = described("What is recommended: wait, hold, retrain or roll_back")
    champion_version: str = described("Champion that scored it; empty without one")
    champion_sha256: str = described("Digest of that champion; empty without one")
    evidence: str = described("Why, one sentence a line")
    drifted: str = described("Variables that moved, worst first")
    better_version: str = described("Champion to roll back to, where that is recommended")
    better_sha256: str = described("Digest of that champion")

    @classmethod
    def of(cls, triage: Triage) -> "TriageRecord":
        """The record of a triage."""
        return cls(
            triage.partition,
            str(triage.verdict),
            str(triage.action),
            triage.champion_version,
            triage.champion_sha256,
            "\n".join(triage.evidence),
            ",".join(triage.drifted),
            triage.better_version,
            triage.better_sha256,
        )

    @property
    def triage(self) -> Triage:
        """The triage that this row was made of."""
        return Triage(
            self.partition,
            Verdict(self.verdict),
            Action(self.action),
            self.champion_version,
            self.champion_sha256,
            tuple(self.evidence.splitlines()),
            tuple(name for name in self.drifted.split(",") if name),
            self.better_version,
            self.better_sha256,
        )


def triage_contract(spec: ModelSpec) -> Contract:
    """One row per partition."""
    partition = spec.partition_column
    actions = ", ".join(f"'{action}'" for action in Action)
    return Contract(
        table=f"monitoring.{spec.name}_triage",
        description="What is thought of each partition, why, and what is recommended.",
        columns=columns_of(TriageRecord, partition=partition),
        key=(partition,),
        partition_column=partition,
        row_rules=(RowRule("action_known", f"action IN ({actions})", "Only these are acted on."),),
    )
