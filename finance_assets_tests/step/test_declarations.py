"""Mistakes in declarations: each is named when the use case loads, with file, field and remedy."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from finance_assets.declarations import refuse
from finance_assets.errors import DeclarationError
from finance_assets.lakehouse.contract import Column, RowRule, Severity, TableRule
from finance_assets.ml.spec import Protected, ProtectedAttribute, SearchSpace
from finance_assets.ml.tasks.binary import Band, CostMatrix, ReasonCodes
from finance_assets.model_life.journals import tables_of
from finance_assets.monitoring.drift import DriftLimits
from finance_assets.step.declaration import Input
from finance_assets.step.use_case_rules import shared_tables
from finance_assets_tests.kiosk import Kiosk
from finance_assets_tests.scenario import USE_CASE

SPEC = USE_CASE.model
TASK = SPEC.task
CONTRACT = next(s.contract for s in USE_CASE.steps if s.contract.has_quarantine)
FIRST, *OTHERS = CONTRACT.columns
DERIVED = next(s for s in USE_CASE.steps if s.inputs and s.contract.columns[0].derived_from)


def columns(**changes):
    return {"columns": (replace(FIRST, **changes), *OTHERS)}


def rule(condition, **more):
    return {
        "row_rules": (
            RowRule(**{"name": "odd", "reason": "It is odd."} | more, condition=condition),
        )
    }


def table_rule(condition):
    return {"table_rules": (TableRule("odd", condition, "It is odd.", Severity.warn),)}


CONTRACTS = {
    "no layer": ({"table": "statements"}, "table: 'statements' has no layer"),
    "an unknown layer": ({"table": "platinum.statements"}, "'platinum' does not exist"),
    "a mixed-case table": ({"table": "silver.Statements"}, "'Statements' is no name"),
    "no description": ({"description": " "}, "description: is empty"),
    "no columns": ({"columns": ()}, "columns: there is none"),
    "a column twice": ({"columns": (FIRST, FIRST, *OTHERS)}, "more than once"),
    "a mixed-case column": (columns(name="accountId"), "'accountId' is no name"),
    "a column with a blank": (columns(name="account id"), "'account id' is no name"),
    "an unknown type": (columns(type="strnig"), "'strnig' is no type"),
    "a decimal with blanks": (columns(type="decimal(10, 2)"), "'decimal(10, 2)' is no type"),
    "a decimal of too many digits": (columns(type="decimal(39,2)"), "'decimal(39,2)' is no type"),
    "a decimal of more places than digits": (columns(type="decimal(5,9)"), "is no type"),
    "a decimal without digits": (columns(type="decimal(0,0)"), "'decimal(0,0)' is no type"),
    "a column nobody described": (columns(description=""), "is empty"),
    "lineage that names no column": (columns(derived_from=("silver.x",)), "no column of a table"),
    "no key": ({"key": ()}, "key: there is none"),
    "a key that does not exist": ({"key": ("acount_id",)}, "key: 'acount_id' does not exist"),
    "a key twice": ({"key": (FIRST.name, FIRST.name)}, "more than once"),
    "a key that may be null": (
        {"key": (FIRST.name,), **columns(is_nullable=True)},
        "may be null, and identifies rows",
    ),
    "no partition column": ({"partition_column": "moth"}, "'moth' does not exist"),
    "a partition column that is no string": (
        {"columns": (*CONTRACT.columns, Column("day", "date", "Day")), "partition_column": "day"},
        "type of day: is date",
    ),
    "a rule that cannot be read": (rule("account_id >"), "cannot be read"),
    "a rule on an unknown column": (rule("acount_id > 0"), "'acount_id' does not exist"),
    "a rule of no name": (rule("account_id > 0", name="Odd One"), "'Odd One' is no name"),
    "a rule without a reason": (rule("account_id > 0", reason=""), "reason of odd: is empty"),
    "a row rule that aggregates": (
        rule("avg(account_id) > 0"),
        "rule odd: aggregates, and is asked of each row",
    ),
    "a table rule about a row": (table_rule("account_id > 0"), "outside an aggregate"),
    "a table rule on an unknown column": (table_rule("avg(acount_id) > 0"), "does not exist"),
    "two rules of one name": (
        {**rule("account_id > 0"), **table_rule("count(*) > 0")},
        "'odd' is declared more than once",
    ),
    "fewer than no rows": ({"min_rows": -1}, "min_rows: is -1"),
    "a share of more than all": ({"max_quarantine_share": 1.5}, "max_quarantine_share: is 1.5"),
    "a share that is no number": (
        {"max_quarantine_share": float("nan")},
        "max_quarantine_share: is nan",
    ),
    "a share without a quarantine": (
        {"has_quarantine": False, "max_quarantine_share": 0.1},
        "there is no quarantine",
    ),
}


@pytest.mark.parametrize(("changes", "said"), CONTRACTS.values(), ids=CONTRACTS)
def test_a_contract_with_a_mistake_does_not_load(changes, said):
    refused(lambda: replace(CONTRACT, **changes), said)


def feature_of(**changes):
    first, *rest = SPEC.features.columns
    changed = [replace(c, **changes) if c.name == SPEC.feature_names[0] else c for c in rest]
    return replace(SPEC.features, columns=(first, *changed))


def words(**changes):
    return {"task.reasons": replace(TASK.reasons, words={**TASK.reasons.words, **changes})}


def protected(expression="sex", name="sex", **changes):
    attributes = (ProtectedAttribute(name, expression),)
    return {"protected": replace(SPEC.protected, attributes=attributes, **changes)}


def with_column(name):
    return replace(SPEC.features, columns=(*SPEC.features.columns, Column(name, "double", "More")))


FINER = replace(SPEC.protected.source, key=(*SPEC.protected.source.key, "sex"))
SPACE = SearchSpace({"learning_rate": (0.01, 0.1)})
MODELS = {
    "a mixed-case name": ({"name": "Credit"}, "name: 'Credit' is no name"),
    "no owner": ({"owner": ""}, "owner: is empty"),
    "no purpose": ({"purpose": ""}, "purpose: is empty"),
    "no features": ({"feature_names": ()}, "feature_names: there is none"),
    "an unknown feature": (
        {"feature_names": (*SPEC.feature_names, "bil")},
        "feature_names: 'bil' does not exist",
    ),
    "a feature twice": (
        {"feature_names": (*SPEC.feature_names, SPEC.feature_names[0])},
        "more than once",
    ),
    "a key as feature": (
        {"feature_names": (*SPEC.feature_names, SPEC.key[0])},
        "identifies rows",
    ),
    "a text as feature": ({"features": feature_of(type="string")}, "features are numbers"),
    "an unknown rule of thumb": ({"naive": "pay_staus"}, "naive: 'pay_staus' does not exist"),
    "features without their partition in the key": (
        {"features": replace(SPEC.features, key=SPEC.features.key[:1])},
        "lacks its partition column",
    ),
    "an unknown target": ({"target": "is_defalt"}, "target: 'is_defalt' does not exist"),
    "a target that is no event": ({"target": SPEC.labels.key[0]}, "is of type"),
    "labels with another key": (
        {"labels": replace(SPEC.labels, key=SPEC.labels.key[:1])},
        "labels: the key of",
    ),
    "one band": ({"task.bands": TASK.bands[:1]}, "bands from"),
    "bands that do not begin at 0": (
        {"task.bands": (Band("low", 0.1), *TASK.bands[1:])},
        "the first from 0",
    ),
    "bands out of order": ({"task.bands": TASK.bands[::-1]}, "bands from"),
    "a band twice": (
        {"task.bands": (*TASK.bands, replace(TASK.bands[-1], from_score=0.99))},
        "once",
    ),
    "a band of no name": ({"task.bands": (Band("Low", 0), *TASK.bands[1:])}, "'Low' is no name"),
    "an unknown band to act on": (
        {"task.flagged_band": "medum"},
        "flagged_band: 'medum' is no band",
    ),
    "an unknown band to explain": (
        {"task.reasons": replace(TASK.reasons, band="hihg")},
        "reasons.band: 'hihg' is no band",
    ),
    "a feature without words": (
        {"task.reasons": ReasonCodes("high", {n: "x" for n in SPEC.feature_names[1:]})},
        f"no words for '{SPEC.feature_names[0]}'",
    ),
    "a feature with empty words": (words(**{SPEC.feature_names[0]: " "}), "no words for"),
    "words for an unknown feature": (words(bil="the bill"), "reasons.words: 'bil'"),
    "no reasons to give": (
        {"task.reasons": replace(TASK.reasons, top=0)},
        "reasons.top: is 0",
    ),
    "an unknown protected column": (protected("sexx"), "protected sex: 'sexx' does not exist"),
    "a protected expression that cannot be read": (protected("CASE WHEN"), "cannot be read"),
    "a protected expression that aggregates": (
        protected("max(age_years)"),
        "protected sex: aggregates, and is asked of each row",
    ),
    "a protected attribute called as a feature": (
        protected("pay_status", SPEC.feature_names[0]),
        f"protected: '{SPEC.feature_names[0]}' is a column of {SPEC.features.table} and a protected",
    ),
    "a protected attribute called as the target": (
        protected("sex", SPEC.target),
        f"protected: '{SPEC.target}' is the target and a protected attribute",
    ),
    "a protected attribute called as what the model says": (
        protected("sex", "band"),
        "protected: 'band' is a column of",
    ),
    "a feature called as what the model says": (
        {"features": with_column("score")},
        "features: 'score' is a column of",
    ),
    "a target called as a feature": (
        {"features": with_column(SPEC.target)},
        f"target: '{SPEC.target}' is a column of {SPEC.features.table} and the target",
    ),
    "protected attributes of a table with several rows for one of the model": (
        {"protected": replace(SPEC.protected, source=FINER)},
        f"protected.source: {FINER.table} has a row for each account_id, statement_month, sex",
    ),
    "a protected attribute of no name": (protected("1", "Sex"), "'Sex' is no name"),
    "protected attributes of a table without the key": (
        {
            "protected": Protected(
                replace(
                    CONTRACT,
                    columns=CONTRACT.columns[1:],
                    key=(OTHERS[0].name,),
                    partition_column=CONTRACT.partition_column,
                    row_rules=(),
                    table_rules=(),
                ),
                (),
            )
        },
        "protected.source:",
    ),
    "an unknown family": ({"family": "catboost"}, "family: 'catboost' does not exist"),
    "an unknown parameter": (
        {"params": {**SPEC.params, "learning_rat": 0.1}},
        "params: 'learning_rat' does not exist",
    ),
    "a parameter of another family": ({"family": "lightgbm"}, "params:"),
    "a parameter that training sets": (
        {"params": {**SPEC.params, "nthread": 8}},
        "'nthread' is set by the training",
    ),
    "no rounds": ({"rounds": 0}, "rounds: is 0"),
    "no holdout": ({"holdout_partitions": 0}, "holdout_partitions: is 0"),
    "no training": ({"min_train_partitions": 0}, "min_train_partitions: is 0"),
    "a cluster for a family that trains alone": (
        {"family": "lightgbm", "params": {}, "is_distributed": True, "search": None},
        "is_distributed: lightgbm trains in one process",
    ),
    "a search on the cluster": (
        {"is_distributed": True, "search": SPACE},
        "a distributed training is not searched",
    ),
    "a search of an unknown parameter": (
        {"search": SearchSpace({"lerning_rate": (0.01, 0.1)})},
        "search.space: 'lerning_rate'",
    ),
    "a search from high to low": (
        {"search": SearchSpace({"learning_rate": (0.1, 0.01)})},
        "the lower bound first",
    ),
    "a search without trials": ({"search": replace(SPACE, trials=0)}, "search.trials: is 0"),
    "drift before its warning": ({"drift": DriftLimits(0.3, 0.2)}, "drift: warns from 0.3"),
    "a wrong decision for nothing": ({"task.costs": CostMatrix(0, 0)}, "costs: a wrong decision"),
}


@pytest.mark.parametrize(("changes", "said"), MODELS.values(), ids=MODELS)
def test_a_model_with_a_mistake_does_not_load(changes, said):
    refused(lambda: declared(changes), said)


def test_a_feature_may_be_called_as_a_column_of_predictions_that_it_never_meets():
    assert declared({"features": with_column("model_version")})


def declared(changes):
    """The model with other declarations; `task.…` are those of its task."""
    of_task = {k.removeprefix("task."): v for k, v in changes.items() if k.startswith("task.")}
    others = {k: v for k, v in changes.items() if not k.startswith("task.")}
    return replace(SPEC, **others, task=replace(TASK, **of_task))


def with_step(position, **changes):
    steps = list(USE_CASE.steps)
    steps[position] = replace(steps[position], **changes)
    return {"steps": tuple(steps)}


POSITION = USE_CASE.steps.index(DERIVED)
INPUT = DERIVED.inputs[0]
FOREIGN = replace(INPUT.contract, table="silver.of_another_use_case")
LINEAGE = DERIVED.contract.columns[0]
ALIKE = replace(
    DERIVED, contract=replace(DERIVED.contract, table=f"monitoring.{DERIVED.contract.entity}")
)
INGEST = next(i for i, step in enumerate(USE_CASE.steps) if step.source)

ALL_READ = [(step.key, item.key) for step in USE_CASE.steps for item in step.inputs]


def with_source(**changes):
    return with_step(INGEST, source=replace(USE_CASE.steps[INGEST].source, **changes))


USE_CASES = {
    "a source that begins at no partition": (
        with_source(first="2005-5"),
        "first: '2005-5' is no monthly partition",
    ),
    "a source that ends at no partition": (
        with_source(last="2005-09-30"),
        "last: '2005-09-30' is no monthly partition",
    ),
    "a source that ends before the calendar begins": (
        with_source(last="2004-12"),
        f"last: 2004-12 is before {USE_CASE.calendar.first}",
    ),
    "a source that ends before it begins": (
        with_source(first="2005-08", last="2005-07"),
        "last: 2005-07 is before 2005-08",
    ),
    "a mixed-case name": ({"name": "Credit"}, "name: 'Credit' is no name"),
    "no title": ({"title": ""}, "title: is empty"),
    "no owner": ({"owner": ""}, "owner: is empty"),
    "a model of another name": ({"model": replace(SPEC, name="other")}, "model: is called 'other'"),
    "a step twice": ({"steps": (*USE_CASE.steps, USE_CASE.steps[0])}, "more than once"),
    "two tables of one name in two layers": (
        {"steps": (*USE_CASE.steps, ALIKE)},
        f"steps: '{ALIKE.contract.entity}' is declared more than once",
    ),
    "a step of another use case": (with_step(0, use_case="other"), "belongs to 'other'"),
    "an input that nobody makes": (
        with_step(POSITION, inputs=(Input(FOREIGN),)),
        "'silver.of_another_use_case' does not exist",
    ),
    "an input made by a later step": (
        {"steps": USE_CASE.steps[::-1]},
        "is made by a later step, or by this one",
    ),
    "an input by another contract": (
        with_step(POSITION, inputs=(Input(replace(INPUT.contract, description="Other")),)),
        "is not the contract of the step that makes it",
    ),
    "a window from later to earlier": (
        with_step(POSITION, inputs=(replace(INPUT, first_offset=0, last_offset=-1),)),
        "first_offset not after last_offset",
    ),
    "a window of later partitions alone": (
        with_step(POSITION, inputs=(replace(INPUT, first_offset=1, last_offset=2),)),
        f"looks ahead: reads {INPUT.key} up to 2 partitions later",
    ),
    "lineage to a table that is not read": (
        with_step(
            POSITION,
            contract=replace(
                DERIVED.contract,
                columns=(
                    replace(LINEAGE, derived_from=("gold.nothing.x",)),
                    *DERIVED.contract.columns[1:],
                ),
            ),
        ),
        "the step does not read gold.nothing",
    ),
    "lineage to a column that does not exist": (
        with_step(
            POSITION,
            contract=replace(
                DERIVED.contract,
                columns=(
                    replace(LINEAGE, derived_from=(f"{INPUT.key}.acount_id",)),
                    *DERIVED.contract.columns[1:],
                ),
            ),
        ),
        "'acount_id' does not exist",
    ),
    "features that nobody makes": (
        {"steps": tuple(s for s in USE_CASE.steps if s.key != SPEC.features.table)},
        f"no step makes {SPEC.features.table}",
    ),
}


@pytest.mark.parametrize(("changes", "said"), USE_CASES.values(), ids=USE_CASES)
def test_a_use_case_with_a_mistake_does_not_load(changes, said):
    refused(lambda: replace(USE_CASE, **changes), said)


@pytest.mark.parametrize(
    "read", range(len(ALL_READ)), ids=lambda i: "{1} for {0}".format(*ALL_READ[i])
)
def test_nothing_that_looks_ahead_loads_whatever_it_is_read_for(read):
    """Features, labels, what is protected, tables for reports, models: every input of every step."""
    key, upstream = ALL_READ[read]
    refused(
        lambda: replace(USE_CASE, steps=looking_ahead(key, upstream)),
        f"inputs of {key}: looks ahead: reads {upstream}",
    )


def looking_ahead(key, upstream):
    """The steps, of which one reads the next partition of one of its inputs, too."""
    [step] = [s for s in USE_CASE.steps if s.key == key]
    inputs = tuple(replace(i, last_offset=1) if i.key == upstream else i for i in step.inputs)
    return tuple(replace(step, inputs=inputs) if s is step else s for s in USE_CASE.steps)


def test_a_source_may_end_after_the_calendar_that_ships():
    after = USE_CASE.calendar.shift(USE_CASE.calendar.last, 6)
    changes = with_source(first=USE_CASE.calendar.first, last=after)
    assert replace(USE_CASE, **changes).steps[INGEST].source.last == after


def test_every_mistake_is_named_at_once():
    with pytest.raises(DeclarationError) as caught:
        replace(CONTRACT, description="", min_rows=-1, key=("nothing",))
    assert len(re.findall("contract ", caught.value.what)) == 3


def test_two_use_cases_cannot_make_the_same_table():
    """Whatever they are called to people: two may ask the same question."""
    base = Kiosk().use_case()
    made = tables_of(base)
    with pytest.raises(DeclarationError, match="the table kiosk_sales is kiosk's and another's"):
        refuse("use cases", shared_tables({"kiosk": made, "another": ("silver.kiosk_sales",)}))
    assert not list(shared_tables({base.name: made, USE_CASE.name: tables_of(USE_CASE)}))


def test_nor_tables_that_only_their_layers_tell_apart():
    """Dagster's lineage shows the last part of a key: two nodes would look alike."""
    made = {"one": ["gold.figures"], "another": ["silver.figures"]}
    [found] = shared_tables(made)
    assert found.what == "the table figures is one's and another's"


@pytest.mark.parametrize(
    "table", ["kiosk_sales_quarantine", "kiosk_performance", "kiosk_champion_history"]
)
def test_nor_a_table_that_comes_with_the_steps_or_the_model_of_another(table):
    """Two writers of one table: each takes away what the other published."""
    made = tables_of(Kiosk().use_case())
    [found] = shared_tables({"kiosk": made, "another": (f"gold.{table}",)})
    assert found.what == f"the table {table} is kiosk's and another's"
    [twice] = shared_tables({"kiosk": (*made, f"gold.{table}")})
    assert twice.what == f"{table!r} is declared more than once"


def refused(declare, said):
    """It does not load; the message names what, this file, and what to write instead."""
    with pytest.raises(DeclarationError) as caught:
        declare()
    error = caught.value
    assert said in f"{error.what}; {error.remedy}"
    assert Path(__file__).name in error.where
    assert error.remedy.strip()
