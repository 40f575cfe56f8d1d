"""What a card says a model sees is what the lineage says."""

from dataclasses import replace

from finance_assets.ml.lineage import exposure
from finance_assets_tests.scenario import GOLD, MODEL, SILVER, contract

FEATURES, ACCOUNTS = MODEL.features, contract(GOLD)
NAMES = MODEL.feature_names


def with_feature(column):
    """The model with one more feature."""
    features = replace(FEATURES, columns=(*FEATURES.columns, column))
    names = (*NAMES, column.name)
    return replace(
        MODEL, features=features, feature_names=names, task=replace(MODEL.task, reasons=None)
    )


def test_the_shipped_model_sees_no_protected_attribute_in_any_lineage():
    found = exposure(MODEL, NAMES)
    assert (found.seen, found.unknown) == ({}, ())
    assert set(found.unseen) == {"sex", "marital_status", "age_band"}


def test_an_attribute_among_the_features_is_seen():
    spec = with_feature(ACCOUNTS.passed_on("age_years", "double"))
    found = exposure(spec, spec.feature_names)
    assert found.seen == {"age_band": ("age_years",)}
    assert set(found.unseen) == {"sex", "marital_status"}


def test_an_attribute_in_the_lineage_of_a_feature_under_another_name_is_seen():
    source = replace(
        ACCOUNTS.passed_on("credit_limit_ntd", "double"),
        name="limit_by_age",
        derived_from=(
            f"{SILVER}.credit_limit_ntd",
            f"{SILVER}.sex_code",
        ),
    )
    gold = replace(ACCOUNTS, columns=(*ACCOUNTS.columns, source))
    spec = with_feature(gold.passed_on("limit_by_age"))
    spec = replace(spec, protected=replace(MODEL.protected, source=gold))
    assert exposure(spec, spec.feature_names).seen == {"sex": ("limit_by_age",)}


def test_the_features_asked_for_are_the_models_own_not_those_declared_today():
    spec = with_feature(ACCOUNTS.passed_on("age_years", "double"))
    assert exposure(spec, NAMES).seen == {}
    assert exposure(MODEL, (*NAMES, "dropped_since")).unknown == ("dropped_since",)


def test_without_the_tables_underneath_nothing_counts_as_unseen():
    found = exposure(replace(MODEL, lineage=()), NAMES)
    assert set(found.unknown) == set(NAMES)
    assert found.unseen == ()
