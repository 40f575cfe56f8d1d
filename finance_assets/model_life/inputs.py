"""Inputs of the steps of a model's life, where more than the step itself has to know them."""

from finance_assets.lakehouse.windows import Calendar
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.contracts import candidate_contract
from finance_assets.step.declaration import Input


def evaluation_inputs(spec: ModelSpec, calendar: Calendar) -> tuple[Input, ...]:
    """The tables that measuring reads."""
    past = -len(calendar.partitions())
    inputs = [
        Input(candidate_contract(spec)),
        Input(spec.features, first_offset=past, last_offset=-1),
        Input(spec.labels, first_offset=past, last_offset=0),
    ]
    if spec.protected:
        inputs.append(Input(spec.protected.source, first_offset=past, last_offset=-1))
    return tuple(inputs)
