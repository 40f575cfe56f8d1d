"""Inputs of the steps of a model's life, where more than the step itself has to know them."""

from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.contracts import candidate_contract
from finance_assets.step.declaration import Input


def evaluation_inputs(spec: ModelSpec) -> tuple[Input, ...]:
    """The tables that measuring reads."""
    matured = -spec.label_lag
    inputs = [
        Input(candidate_contract(spec)),
        Input(spec.features, first_offset=None, last_offset=matured),
        Input(spec.labels, first_offset=None),
    ]
    if spec.protected:
        inputs.append(Input(spec.protected.source, first_offset=None, last_offset=matured))
    return tuple(inputs)
