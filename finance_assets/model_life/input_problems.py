"""Input problems: what is wrong with the data that a candidate learned from and is measured on.

The log says most of it (step/lineage.py). Where it cannot prove the rows, they are measured.
"""

from finance_assets.calendar import Calendar
from finance_assets.lakehouse.integrity import unproven_alterations
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.splits import TimeSplit
from finance_assets.step.declaration import Step, StepContext
from finance_assets.step.lineage import data_problems

Problems = dict[str, tuple[str, ...]]


def input_problems(
    ctx: StepContext,
    spec: ModelSpec,
    calendar: Calendar,
    tables: tuple[Step, ...],
    split: TimeSplit,
) -> Problems:
    """What is wrong with each publication that features, labels and protected attributes rest on,
    by `<table>[<partition>]`; nothing for one that is sound.
    """
    found: Problems = {}
    windows = [(spec.features, split.rows), (spec.labels, split.matured)]
    if spec.protected:
        windows.append((spec.protected.source, split.holdout))
    for contract, window in windows:
        found |= data_problems(ctx.lakehouse, tables, contract.table, window, calendar)
    for step in tables:
        partitions = [p for p in calendar.partitions() if f"{step.key}[{p}]" in found]
        if partitions:
            rows = calendar.window(partitions[0], partitions[-1])
            for partition in unproven_alterations(ctx.lakehouse, step.contract, rows):
                name = f"{step.key}[{partition}]"
                found[name] = (*found.get(name, ()), "other rows than were published")
    return found
