"""What the attacks of all files have in common."""

import contextlib
from dataclasses import replace
from itertools import count

from deltalake import DeltaTable, write_deltalake

from finance_assets.compute.runner import open_registry
from finance_assets.ml.gate import Gate
from finance_assets.ml.tasks.binary import criteria
from finance_assets.ml.training import train
from finance_assets.steps import training as training_step
from finance_assets_tests.model_life.models import NAME
from finance_assets_tests.scenario import APRIL, AUGUST, MODEL

ROUNDS, NUMBERS = 60, count(1)
ACCOUNTS = 8000
# On so few rows the scorecard is as good as the model; everything else is as in production.
GATE = Gate(
    tuple(
        criteria.BeatsBaselines(min_gain=-0.01, cost_margin=0.05)
        if c.name == "beats_baselines"
        else c
        for c in MODEL.gate.criteria
    )
)
FEATURES, LABELS = MODEL.features.table, MODEL.labels.table


def fresh(params=MODEL.params, **change):
    """The use case's model, in fewer rounds, and as little regularised as no other case."""
    own = {**params, "reg_lambda": params["reg_lambda"] + next(NUMBERS) / 1000}
    return replace(MODEL, gate=GATE, rounds=ROUNDS, params=own, **change)


def trained_otherwise(monkeypatch, tamper):
    """Training gives whatever `tamper` makes of recipe, rows and the honest model."""

    def sabotaged(recipe, rows):
        return tamper(recipe, rows, train(recipe, rows))

    monkeypatch.setattr(training_step, "train", sabotaged)


def tables(home, *names):
    return [str(home.lakehouse.path(name)) for name in names]


@contextlib.contextmanager
def rewritten(home, table, change):
    """A table changed behind publish's back, and put back afterwards."""
    [path] = tables(home, table)
    before = DeltaTable(path)
    version, rows = before.version(), before.to_pandas()
    constraint = [n for n in before.metadata().configuration if n.startswith("delta.constraints")]
    for name in constraint:
        before.alter.drop_constraint(name.split(".")[-1])
    write_deltalake(
        path, change(rows).reset_index(drop=True), mode="overwrite", schema_mode="overwrite"
    )
    try:
        yield
    finally:
        DeltaTable(path).restore(version)
        # Only a run of ours confirms that the partitions are as they should be again.
        assert home.run(table, APRIL, AUGUST).changed == ()


def newest(home):
    return next(open_registry(home.settings).versions(NAME))
