"""What every task answers: where steps ask what is particular to a kind of problem."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from finance_assets.codec import Json
from finance_assets.declarations import Mistake
from finance_assets.lakehouse.contract import Column, RowRule
from finance_assets.ml.estimates import Interval
from finance_assets.ml.families.family import Anchor, Model, Objective

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from finance_assets.ml.evaluation import Holdout
    from finance_assets.ml.spec import ModelSpec

M = TypeVar("M", bound="Metrics")
# Columns of every prediction, beside its key and those of the task: which model on which data said
# so, and when.
SCORED_BY = (
    Column("model_version", "string", "Version that scored the row"),
    Column("model_sha256", "string", "Digest of that model's text"),
    Column("data_version", "string", "Feature table and its Delta version"),
    Column("scored_at", "timestamp", "When the row was scored (UTC)", is_volatile=True),
)


@dataclass(frozen=True)
class Metrics:
    """Measures over one set of rows: the fields of a subclass are the metrics' names.

    A field that is a tuple holds one figure each for equal parts of the rows.
    """

    rows: int

    @property
    def merit(self) -> float:
        """The one figure that a search of parameters makes as large as it can."""
        raise NotImplementedError

    def values(self) -> dict[str, float]:
        """Every figure by name, as evaluations store them; parts as `<name>_1`, `<name>_2`, …"""
        found: dict[str, float] = {}
        for name, value in asdict(self).items():
            if isinstance(value, tuple | list):
                found |= {f"{name}_{place}": part for place, part in enumerate(value, 1)}
            else:
                found[name] = value
        return found

    @classmethod
    def of(cls: type[M], values: Mapping[str, float]) -> M:
        """The metrics of stored figures.

        Raises:
            LookupError: one is missing.
        """
        given: dict[str, Any] = {}
        for field in fields(cls):
            if field.name in values:
                whole = field.type in (int, "int")
                given[field.name] = int(values[field.name]) if whole else values[field.name]
                continue
            parts = [name for name in values if name.rpartition("_")[0] == field.name]
            if not parts:
                raise LookupError(f"no {field.name} was stored")
            ordered = sorted(parts, key=lambda name: int(name.rpartition("_")[2]))
            given[field.name] = tuple(values[name] for name in ordered)
        return cls(**given)

    def scalars(self) -> dict[str, float]:
        """The figures a person looks at first, by name."""
        return {k: v for k, v in asdict(self).items() if isinstance(v, int | float)}


@dataclass(frozen=True)
class Task:
    """A kind of problem, as a use case declares it.

    `output` is the column of predictions that says what the model says, `output_text` what it
    is; `outcome_type` how outcomes are held, and `target_types` the columns that can be one.
    `baselines` are the roles that every candidate is measured beside, `headline` the metrics that
    a summary shows, with their titles.
    """

    name: ClassVar[str]
    output: ClassVar[str]
    output_text: ClassVar[str]
    outcome_type: ClassVar[str]
    target_types: ClassVar[tuple[str, ...]]
    baselines: ClassVar[tuple[str, ...]]
    metrics: ClassVar[type[Metrics]]
    assessment: ClassVar[type[Any]]
    card: ClassVar[str]
    headline: ClassVar[dict[str, str]]

    @property
    def objective(self) -> Objective:
        """What a family is asked to predict."""
        raise NotImplementedError

    def mistakes(self, spec: "ModelSpec") -> Iterator[Mistake]:
        """What is wrong with the declaration, found when it loads."""
        raise NotImplementedError

    def describe(self, outcome: "np.ndarray") -> str:
        """The outcomes of the training rows in a word, which another training of them repeats."""
        raise NotImplementedError

    def can_measure(self, outcome: "np.ndarray") -> bool:
        """Whether a segment with these outcomes has metrics worth reading."""
        raise NotImplementedError

    def measure(self, outcome: "np.ndarray", output: "np.ndarray") -> Metrics:
        """All metrics of what a model says against what came.

        Raises:
            ValueError: nothing can be said of these rows.
        """
        raise NotImplementedError

    def records(self, spec: "ModelSpec", frame: "pd.DataFrame") -> dict[str, Json]:
        """What is kept with a candidate for its baselines, by file name."""
        raise NotImplementedError

    def baseline(
        self, role: str, holdout: "Holdout", record: Callable[[str], Json]
    ) -> "np.ndarray":
        """What a baseline says of the holdout; `record` reads a file kept with the candidate."""
        raise NotImplementedError

    def assess(
        self,
        holdout: "Holdout",
        outputs: dict[str, "np.ndarray"],
        before: "np.ndarray",
        gain_shares: dict[str, float],
        reseeded: Sequence["np.ndarray"] = (),
    ) -> Any:
        """Compare the candidate with every other role; `before`: of the last training partition."""
        raise NotImplementedError

    def intervals(self, assessment: Any) -> dict[str, Interval]:
        """Figures of an assessment that have a 95 % interval, by name."""
        raise NotImplementedError

    def may_beat(self, holdout: "Holdout", candidate: "np.ndarray", champion: "np.ndarray") -> bool:
        """Whether the gain over the champion could pass the gate, retraining noise left out."""
        raise NotImplementedError

    def anchor(self, spec: "ModelSpec") -> Anchor | None:
        """What a forecast begins with, if models say what that misses; None: they say it all."""
        return None

    @property
    def watched_column(self) -> str:
        """The column of the predictions whose drift is watched."""
        return self.output

    def watched(self, output: "np.ndarray", frame: "pd.DataFrame") -> "np.ndarray":
        """That column's values, of what a model says of a frame's rows."""
        raise NotImplementedError

    def said(self, predictions: "pd.DataFrame") -> "np.ndarray":
        """What the model said, from rows of the predictions."""
        raise NotImplementedError

    def expected(self, output: "np.ndarray") -> dict[str, Interval]:
        """Figures to be expected before outcomes are known, if the model is right of itself."""
        raise NotImplementedError

    def observed(self, outcome: "np.ndarray", output: "np.ndarray") -> dict[str, Interval]:
        """The same figures of what came, and `level`: by how much the output is too low as a whole,
        in units of its own uncertainty.
        """
        raise NotImplementedError

    def reliability(self, outcome: "np.ndarray", output: "np.ndarray") -> list[tuple[float, float]]:
        """What was said and what came on average, for tenths of the rows by what was said."""
        import numpy as np

        said = output if output.ndim == 1 else output[:, output.shape[1] // 2]
        tenths = np.array_split(np.argsort(said, kind="stable"), 10)
        return [(float(said[t].mean()), float(outcome[t].mean())) for t in tenths if len(t)]

    def lost(self, expected: dict[str, Interval], observed: dict[str, Interval]) -> Interval | None:
        """The share of what was to be expected that the model does not bring; None: unknown."""
        raise NotImplementedError

    def columns(self, spec: "ModelSpec") -> tuple[Column, ...]:
        """Columns of the predictions, the output first."""
        raise NotImplementedError

    def row_rules(self, spec: "ModelSpec") -> tuple[RowRule, ...]:
        """What every prediction keeps."""
        raise NotImplementedError

    def scored(self, model: Model, batch: "pd.DataFrame") -> dict[str, "np.ndarray"]:
        """Values of those of the columns that are made with the model, on the executors; the batch
        holds rows of the feature table.
        """
        raise NotImplementedError

    def derived(self) -> dict[str, str]:
        """The other columns, as SQL over those."""
        return {}

    def plots(
        self, holdout: "Holdout", outputs: dict[str, "np.ndarray"], assessment: Any
    ) -> dict[str, bytes]:
        """PNG bytes by title."""
        raise NotImplementedError
