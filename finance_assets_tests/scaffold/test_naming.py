"""Names: what Python, SQL, the engine and other use cases leave free."""

from dataclasses import replace

import pytest

from finance_assets.declarations import NAME
from finance_assets.ml.tasks.regression import Regression
from finance_assets.ml.tasks.task import SCORED_BY
from finance_assets.scaffold.naming import Names, entity_name, require_name, slug
from finance_assets.scaffold.request import CannotScaffoldError
from finance_assets_tests.scenario import MODEL

# A generated use case gives no reasons.
TASKS = (replace(MODEL.task, reasons=None), Regression("pieces", relative_to="sold"))
TAKEN = ["silver.parcels", "labels.parcel_delays_labels"]


@pytest.mark.parametrize("name", ["late_parcels", "churn2", "a"])
def test_a_good_name_is_taken(name):
    require_name(name, ["other"], TAKEN)


@pytest.mark.parametrize(
    "name",
    [
        *("Late Parcels", "late-parcels", "2late", "_late", "späte", "late.parcels", "", "../x"),
        *("class", "match", "select", "order", "args", "kwargs", "self", "score", "x" * 41),
        *("other", "parcel_delays"),
    ],
)
def test_a_name_that_means_something_else_is_refused(name):
    with pytest.raises(CannotScaffoldError) as refused:
        require_name(name, ["other"], TAKEN)
    assert refused.value.remedy


def test_a_name_is_proposed_where_one_can_be_made():
    with pytest.raises(CannotScaffoldError, match="such as late_parcels"):
        require_name("Late Parcels", [], [])


def test_columns_get_names_that_every_engine_keeps():
    header = ["Customer ID", "customer-id", "Größe (m²)", "order", "2nd", "", "名前", "class", "_x"]
    names = Names().columns(header)
    assert names[:5] == ("customer_id", "customer_id_2", "grosse_m2", "order_value", "column_2nd")
    assert len(set(names)) == len(header)
    assert all(NAME.fullmatch(name) for name in names)
    assert slug("SeriousDlqin2yrs") == "serious_dlqin2yrs"


@pytest.mark.parametrize("task", TASKS)
def test_no_column_is_called_as_one_of_the_predictions(task):
    """A model with such a feature, target or group does not load."""
    said = [column.name for column in (*task.columns(MODEL), *SCORED_BY)]
    assert not set(Names().columns(said)) & set(said)


def test_a_name_is_given_away_once_and_only_its_stem_is_cut():
    names = Names()
    assert names.columns(["region", "region is north"]) == ("region", "region_is_north")
    assert names.take("region", after="_is_north") == "region_is_north_2"
    assert names.take("region", after="_is_south") == "region_is_south"
    assert names.take("usual", after="_before") == "usual_before_2"
    long = "share_of_all_the_parcels_that_came_late_and_wet"
    found = [
        names.take(long, before, after)
        for before, after in [("", "_number")] * 12 + [("minus_", "")] * 3
    ]
    assert len(set(found)) == len(found)
    assert max(map(len, found)) <= 40
    assert found[0] == "share_of_all_the_parcels_that_number"
    assert found[-3:] == [
        "minus_share_of_all_the_parcels_that_came",
        "minus_share_of_all_the_parcels_that_2",
        "minus_share_of_all_the_parcels_that_3",
    ]


@pytest.mark.parametrize(
    ("stem", "entity"),
    [
        ("shipments", "shipments"),
        ("Parcels", "late_ones_rows"),
        ("late_ones", "late_ones_rows"),
        ("features", "late_ones_rows"),
        ("select", "late_ones_rows"),
        ("args", "late_ones_rows"),
        ("2024", "late_ones_rows"),
        ("train", "late_ones_rows"),
    ],
)
def test_rows_are_called_after_the_file_where_that_is_free(stem, entity):
    assert entity_name("late_ones", stem, TAKEN) == entity
