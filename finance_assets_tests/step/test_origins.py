"""What a column is made of is read from the SELECT that makes it."""

import pytest

from finance_assets.step.select import Select

INPUTS = {
    "visits": ("customer", "day", "spent", "visits", "has_left"),
    "people": ("customer", "region", "age"),
}


def origins(text):
    return Select(text, INPUTS).origins


def made_of(text):
    """The places of each column, in short: `v` for visits, `p` for people."""
    return {
        name: " ".join(sorted(f"{entity[0]}.{column}" for entity, column in origin.places))
        for name, origin in origins(text).items()
    }


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("spent", "v.spent"),
        ("cast(spent as double)", "v.spent"),
        ("spent / visits", "v.spent v.visits"),
        ("CASE WHEN has_left THEN spent ELSE 0 END", "v.has_left v.spent"),
        ("sum(spent) OVER (PARTITION BY customer ORDER BY day)", "v.customer v.day v.spent"),
        ("coalesce(spent, visits)", "v.spent v.visits"),
        ("(SELECT max(age) FROM people WHERE people.customer = visits.customer)", "p.age"),
        ("1", ""),
        ("current_date()", ""),
    ],
)
def test_a_column_is_made_of_what_its_expression_names(expression, found):
    names = made_of(f"SELECT customer, {expression} AS x FROM visits")["x"]
    assert names.split() == found.split() or set(found.split()) < set(names.split())
    assert "v.has_left" not in names or "has_left" in expression


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SELECT spent AS x FROM visits WHERE NOT has_left", "v.has_left v.spent"),
        (
            "WITH a AS (SELECT * FROM visits WHERE has_left) SELECT spent AS x FROM a",
            "v.has_left v.spent",
        ),
        (
            "SELECT customer, count(*) AS x FROM visits GROUP BY customer",
            "v.customer",
        ),
        (
            "SELECT customer, sum(spent) AS x FROM visits GROUP BY customer HAVING max(has_left)",
            "v.has_left v.spent",
        ),
        (
            "SELECT visits.customer, l.gone AS x FROM visits LEFT JOIN"
            " (SELECT customer, 1 AS gone FROM visits WHERE has_left) l"
            " ON visits.customer = l.customer",
            "v.has_left",
        ),
        (
            "SELECT visits.customer, age AS x FROM visits JOIN people"
            " ON visits.customer = people.customer AND has_left",
            "p.age v.has_left",
        ),
        (
            "SELECT a.spent AS x FROM visits a LEFT SEMI JOIN visits b"
            " ON a.customer = b.customer AND b.has_left",
            "v.customer v.has_left v.spent",
        ),
        (
            "SELECT spent AS x FROM visits WHERE customer IN"
            " (SELECT customer FROM visits WHERE has_left)",
            "v.customer v.has_left v.spent",
        ),
        ("SELECT spent AS x FROM visits UNION ALL SELECT age AS x FROM people", "p.age v.spent"),
        (
            "WITH known AS (SELECT customer, 1 AS n FROM people)"
            " SELECT customer, coalesce(n, 0) AS x FROM visits LEFT JOIN known USING (customer)",
            "p.customer v.customer",
        ),
        ("SELECT x FROM (SELECT *, spent * 2 AS x FROM visits)", "v.spent"),
        ("SELECT spent AS x FROM visits ORDER BY has_left LIMIT 5", "v.has_left v.spent"),
    ],
)
def test_what_decides_about_rows_counts_where_it_can_be_seen(text, found):
    assert made_of(text)["x"] == found


def test_a_row_without_a_partner_stays_so_its_own_columns_do_not_tell_of_one():
    found = made_of(
        "WITH gone AS (SELECT customer, spent AS last FROM visits WHERE has_left)"
        " SELECT customer, age, last FROM people LEFT JOIN gone USING (customer)"
    )
    assert found == {"customer": "p.customer", "age": "p.age", "last": "v.has_left v.spent"}
    summed = made_of(
        "WITH gone AS (SELECT customer FROM visits WHERE has_left)"
        " SELECT region, sum(age) AS x FROM people LEFT JOIN gone USING (customer) GROUP BY region"
    )
    assert "v.has_left" in summed["x"], "partners that are many make the sum another"


@pytest.mark.parametrize(
    ("expression", "plain"),
    [
        ("spent", ("visits", "spent")),
        ("cast(spent as double)", ("visits", "spent")),
        ("coalesce(spent, 0)", None),
        ("upper(spent)", None),
        ("spent + 0", None),
    ],
)
def test_a_column_is_taken_over_only_if_nothing_was_done_to_it(expression, plain):
    text = f"WITH a AS (SELECT *, {expression} AS x FROM visits) SELECT x FROM a"
    assert origins(text)["x"].plain == plain


def test_a_column_that_a_join_merges_is_the_left_sides():
    found = origins("SELECT customer, age FROM people LEFT JOIN visits USING (customer)")
    assert found["customer"].plain == ("people", "customer")
    full = origins("SELECT customer, age FROM people FULL JOIN visits USING (customer)")
    assert full["customer"].plain is None
    written = origins(
        "SELECT coalesce(people.customer, visits.customer) AS customer FROM people"
        " LEFT JOIN visits ON people.customer = visits.customer"
    )
    assert written["customer"].plain is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT spnt FROM visits", "spnt"),
        ("SELECT spent FROM visit", ""),
        ("DELETE FROM visits", "no SELECT"),
        ("SELECT FROM WHERE", ""),
        ("SELECT x FROM visits LATERAL VIEW explode(array(1, 2)) t AS x", "followed"),
        ("SELECT customer FROM visits JOIN people", "customer"),
    ],
)
def test_what_cannot_be_followed_is_refused(text, said):
    with pytest.raises(ValueError, match=said):
        origins(text)


def test_the_engine_gets_the_text_as_it_was_written(spark):
    select = Select(
        "WITH a AS (SELECT customer, '{x}' AS mark FROM visits)\n"
        "SELECT customer, mark, people.age FROM a LEFT JOIN people USING (customer)",
        INPUTS,
    )
    assert select.template == (
        "WITH a AS (SELECT customer, '{{x}}' AS mark FROM {input_visits} AS visits)\n"
        "SELECT customer, mark, people.age FROM a LEFT JOIN {input_people} AS people USING (customer)"
    )
    visits = spark.createDataFrame([(1,), (2,)], "customer int")
    people = spark.createDataFrame([(1, 40)], "customer int, age int")
    rows = select(visits=visits, people=people).collect()
    assert sorted(tuple(row) for row in rows) == [(1, "{x}", 40), (2, "{x}", None)]


# `sqlQuery`, the engine's own, is no name of ours: these are lower case.
@pytest.mark.parametrize("name", ["self", "args", "query", "text"])
def test_an_input_may_be_called_as_a_parameter_of_the_engines_call_is(spark, name):
    select = Select(f"SELECT n FROM {name}", {name: ("n",)})
    assert select(**{name: spark.sql("SELECT 1 AS n")}).collect()[0].n == 1
