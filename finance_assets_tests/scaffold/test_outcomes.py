"""The label: which task it asks for, which of its values is the event, and what is refused."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finance_assets.scaffold.request import CannotScaffoldError
from finance_assets_tests.scaffold.files import (
    ROWS,
    column,
    csv_file,
    parcels,
    planned,
)

LATE = (parcels()["late"] == "yes").to_numpy()


def with_label(tmp_path, values, **changes):
    return planned(csv_file(tmp_path, parcels().assign(late=values)), **changes)


@pytest.mark.parametrize(
    ("event", "other", "target", "is_plain"),
    [
        ("yes", "no", "late", True),
        ("Y", "N", "late", True),
        ("True", "False", "late", True),
        ("t", "f", "late", True),
        ("1", "0", "late", True),
        ("1.0", "0.0", "late_is_1_0", False),
        ("bad", "good", "late_is_bad", False),
        ("Charged Off", "Fully Paid", "late_is_charged_off", False),
        ("churned", "active", "late_is_churned", False),
        ("2", "1", "late_is_2", False),
        ("Köln", "Bonn", "late_is_koln", False),
        ("1", "-1", "late_is_1", False),
    ],
)
def test_the_event_is_known_by_its_word_or_by_being_rarer(tmp_path, event, other, target, is_plain):
    plan = with_label(tmp_path, np.where(LATE, event, other))
    assert plan.outcome.task == "binary"
    assert plan.outcome.positive == (event,)
    assert (plan.outcome.target, plan.outcome.is_plain) == (target, is_plain)
    assert (plan.label_sql == "late") == is_plain
    told = next(d for d in plan.decisions if d.about == "task")
    assert event in told.choice
    assert "words" in told.reason or "rarer" in told.reason


def test_a_positive_value_can_be_named_and_words_beat_rarity(tmp_path):
    assert with_label(tmp_path, np.where(LATE, "no", "yes")).outcome.positive == ("yes",)
    plan = with_label(tmp_path, np.where(LATE, "yes", "no"), positive="no")
    assert plan.outcome.positive == ("no",)
    assert plan.label_sql.startswith("CASE WHEN late IN ('no') THEN true")
    with pytest.raises(CannotScaffoldError, match="never is 'maybe'"):
        with_label(tmp_path, np.where(LATE, "yes", "no"), positive="maybe")


@pytest.mark.parametrize(
    ("event", "other"),
    [("1-Yes", "0-No"), ("1 - bad", "0 - good"), ("sim", "não"), ("tak", "nie")],
)
def test_a_word_behind_its_code_or_of_another_language_beats_rarity(tmp_path, event, other):
    assert with_label(tmp_path, np.where(LATE, other, event)).outcome.positive == (event,)


@pytest.mark.parametrize(("event", "other"), [("ya", "tak"), ("sim", "esim"), ("x-ray", "n-left")])
def test_words_that_mean_an_event_only_beside_their_opposite_are_rarer_or_not(
    tmp_path, event, other
):
    assert with_label(tmp_path, np.where(LATE, event, other)).outcome.positive == (event,)
    assert with_label(tmp_path, np.where(LATE, other, event)).outcome.positive == (other,)


@pytest.mark.parametrize(
    ("event", "other"),
    [("1.00", "0.00"), ("01", "00"), ("1.0", "-1.0"), ("1,0", "0,0"), ("1", "no"), ("100%", "0%")],
)
def test_one_is_the_event_however_it_is_written_and_however_often(tmp_path, event, other):
    plan = with_label(tmp_path, np.where(LATE, other, event))
    is_one = event != "100%"
    assert plan.outcome.positive == ((event if is_one else other),)
    assert ("words" in plan.outcome.reason) == is_one


def test_one_is_the_event_of_a_typed_file_too(tmp_path):
    exact = [Decimal(100 * int(not late)).scaleb(-2) for late in LATE]
    rows = pa.Table.from_pandas(parcels()).drop_columns("late")
    rows = rows.append_column("late", pa.array(exact, pa.decimal128(5, 2)))
    pq.write_table(rows, tmp_path / "parcels.parquet")
    assert planned(tmp_path / "parcels.parquet").outcome.positive == ("1.00",)


@pytest.mark.parametrize(
    ("event", "other", "named"),
    [("Yes", "No", "yes"), ("1.0", "0.0", "1"), ("0.0", "1.0", "0"), ("1,0", "0,0", "1")],
)
def test_a_positive_value_is_found_however_it_is_written(tmp_path, event, other, named):
    plan = with_label(tmp_path, np.where(LATE, event, other), positive=named)
    assert (plan.outcome.positive, plan.outcome.reason) == ((event,), "asked for")


@pytest.mark.parametrize(("event", "blank"), [("Y", ""), ("Y", "N/A"), ("1", "")])
def test_a_blank_is_not_a_no_and_the_message_says_how_to_mend_that(tmp_path, event, blank):
    with pytest.raises(CannotScaffoldError, match="which are not a no") as refused:
        with_label(tmp_path, np.where(LATE, event, blank))
    assert "a value of its own, such as no" in refused.value.remedy
    assert (blank or "blanks") in str(refused.value)


def test_amounts_that_are_read_by_nothing_or_only_bounded_are_said_to_be_that(tmp_path):
    amounts = np.random.default_rng(5).lognormal(8, 1, ROWS)
    with pytest.raises(CannotScaffoldError, match="was not read as numbers"):
        with_label(tmp_path, [f"{x:,.2f} {'USD' if x > 3000 else 'EUR'}" for x in amounts])
    with pytest.raises(CannotScaffoldError, match="holds '>9000' beside numbers"):
        with_label(tmp_path, [f"{x:.2f}" if x < 9000 else ">9000" for x in amounts])
    in_brackets = [f"({x:,.2f})" if i % 2 else f"{x:,.2f}" for i, x in enumerate(amounts)]
    assert with_label(tmp_path, in_brackets).outcome.task == "regression"


def test_letters_of_another_case_and_missing_labels_are_no_classes(tmp_path):
    values = np.where(LATE, np.where(np.arange(ROWS) % 2, "Yes", "YES"), "no")
    values = np.where(np.arange(ROWS) % 30 == 1, "", values)
    plan = with_label(tmp_path, values)
    assert set(plan.outcome.positive) == {"Yes", "YES"}
    plan = with_label(tmp_path, np.where(values == "YES", "Yes\xa0", values))
    assert set(plan.outcome.positive) == {"Yes", "Yes\xa0"}
    assert "'Yes\\u00a0'" in plan.label_sql
    assert column(plan, "late").is_nullable


def test_of_three_classes_one_can_be_named_and_the_others_are_told(tmp_path):
    three = np.where(LATE, "late", np.where(np.arange(ROWS) % 3, "on time", "lost"))
    with pytest.raises(CannotScaffoldError, match="3 values where a yes or no is needed"):
        with_label(tmp_path, three)
    plan = with_label(tmp_path, three, positive="late")
    assert any("on time" in warning and "lost" in warning for warning in plan.warnings())


def test_many_numbers_ask_for_a_regression_and_its_past_is_the_rule_of_thumb(tmp_path):
    plan = planned(csv_file(tmp_path, parcels()), label="weight")
    assert plan.outcome.task == "regression"
    assert plan.naive == plan.before.name == "weight_before"
    assert plan.least_partitions == 4
    commas = [f"{x:.1f}".replace(".", ",") for x in parcels()["weight"]]
    plan = planned(csv_file(tmp_path, parcels().assign(weight=commas)), label="weight")
    assert (plan.outcome.target, plan.naive) == ("weight_amount", "weight_amount_before")
    assert [rule.name for rule in column(plan, "weight").rules] == ["weight_readable"]


@pytest.mark.parametrize("code", ["99", "-9", "999", "unknown"])
def test_a_code_that_says_that_the_outcome_is_not_known_is_none(tmp_path, code):
    values = np.where(np.arange(ROWS) % 30 == 1, code, LATE.astype(int).astype(str))
    plan = with_label(tmp_path, values)
    late = column(plan, "late")
    assert (late.type, late.null_tokens, late.is_nullable) == ("boolean", (code,), True)
    assert f"of rows with {code} it is not known" in late.reason
    assert any(f"of rows with '{code}' it is not known" in told for told in plan.warnings())


def test_an_amount_that_can_be_read_in_two_ways_is_refused_and_one_that_cannot_is_not(tmp_path):
    amounts = np.random.default_rng(5).integers(2, 60_000, ROWS)
    plan = with_label(tmp_path, [f"{x:,}" for x in amounts])
    assert plan.outcome.task == "regression"
    assert any("is it not" in warning for warning in plan.warnings())
    for texts in (
        [f"{x:,}" for x in 1000 + amounts],  # all with a comma and three digits
        [f"{x:,}" for x in amounts // 10 * 10 + 1],  # none ends with 0, as decimals do not
    ):
        with pytest.raises(CannotScaffoldError, match=r"two ways: .* is it not"):
            with_label(tmp_path, texts)


RARE = np.where(np.arange(ROWS) < 40, "yes", "no")


@pytest.mark.parametrize(
    ("values", "changes", "what"),
    [
        (["no"] * ROWS, {}, "holds only 'no'"),
        ([""] * ROWS, {}, "holds no value"),
        (RARE, {}, "40 of them of the rarer kind: too few"),
        (np.arange(ROWS) % 5, {}, "5 values where a yes or no"),
        (np.arange(ROWS) % 5, {"task": "binary"}, "5 values where a yes or no"),
        (np.where(LATE, "red", "blue"), {"task": "regression"}, "holds no numbers"),
        (["maybe", *LATE[1:].astype(int)], {}, "holds 'maybe' beside numbers"),
        (["maybe", "maybe", *LATE[2:].astype(int)], {}, "holds 'maybe' beside numbers"),
        (["maybe", *LATE[1:].astype(int)], {"positive": "1"}, "holds 'maybe' beside numbers"),
        (["1e999", *map(str, range(1, ROWS))], {}, "1 infinite values beside numbers"),
        (
            [*map(str, range(ROWS - 2)), "much", "more"],
            {"task": "regression"},
            "holds 'more', 'much' beside numbers",
        ),
    ],
)
def test_a_label_that_is_none_is_refused(tmp_path, values, changes, what):
    with pytest.raises(CannotScaffoldError, match=what) as refused:
        with_label(tmp_path, values, **changes)
    assert refused.value.where == "--label"


def test_too_few_rows_are_refused(tmp_path):
    few = csv_file(tmp_path, parcels(each=60))
    with pytest.raises(CannotScaffoldError, match="known of 240 rows"):
        planned(few)
    few = csv_file(tmp_path, parcels(each=10))
    with pytest.raises(CannotScaffoldError, match="known of 40 rows"):
        planned(few, label="weight")


def test_a_file_without_anything_to_learn_from_is_refused(tmp_path):
    bare = parcels()[["parcel", "sent", "late"]].assign(fixed=1)
    with pytest.raises(CannotScaffoldError, match="no column is left") as refused:
        planned(csv_file(tmp_path, bare))
    assert "fixed: it is always '1'" in refused.value.where


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"task": "ranking"}, "there is no task 'ranking'"),
        ({"frequency": "hourly"}, "there is no frequency 'hourly'"),
        ({"time": None, "frequency": "daily"}, "needs a column of times"),
        ({"label_lag": -1}, "cannot be known 1 partitions before"),
        ({"task": "regression", "positive": "yes"}, "no positive value"),
        ({"label": "parcel"}, "is the label, and also the key"),
    ],
)
def test_a_request_that_contradicts_itself_is_refused(tmp_path, changes, what):
    with pytest.raises(CannotScaffoldError, match=what):
        planned(csv_file(tmp_path, parcels()), **changes)
