"""Evaluation step: measure the candidate of each partition against today's champion."""

from finance_assets.calendar import Calendar
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.splits import split_as_of
from finance_assets.model_life.contests import contest
from finance_assets.model_life.crowning import history_of
from finance_assets.model_life.evaluations import evaluation_contract
from finance_assets.model_life.inputs import evaluation_inputs
from finance_assets.model_life.measuring import evaluate, measure_and_publish
from finance_assets.step.declaration import Kind, Step, StepContext, StepResult


def evaluation_step(spec: ModelSpec, calendar: Calendar) -> Step:
    """Score the holdout with every contender, and measure and compare them."""

    def run(ctx: StepContext) -> StepResult:
        history = history_of(ctx, spec).trusted()
        splits = [split_as_of(calendar, spec, as_of) for as_of in ctx.window]
        return measure_and_publish(
            ctx, spec, [contest(ctx, spec, split, history) for split in splits]
        )

    contract = evaluation_contract(spec)
    code = (type(spec.task), evaluate)
    inputs = evaluation_inputs(spec)
    return Step(spec.name, Kind.evaluation, contract, inputs, run, code)
