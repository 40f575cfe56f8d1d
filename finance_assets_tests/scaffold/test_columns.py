"""What becomes of a column: every oddity that files have, found and told."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from finance_assets.declarations import bad_sql
from finance_assets.scaffold.identifying import is_card
from finance_assets.scaffold.people import is_age, is_full_name
from finance_assets.scaffold.personal import Personal, personal
from finance_assets.scaffold.plan import Role
from finance_assets.scaffold.profile import profile
from finance_assets.scaffold.suspects import gives_away, told_by_words
from finance_assets_tests.scaffold.files import (
    ROWS,
    column,
    csv_file,
    parcels,
    planned,
)

RANDOM = np.random.default_rng(3)
SMALL = RANDOM.integers(0, 14, ROWS)
AMOUNTS = RANDOM.lognormal(8, 1, ROWS).round(2)


def some(values, odd, every: int = 40):
    """Values as text, every so many of them an odd one."""
    texts = pd.Series(np.asarray(values)).astype(str)
    return texts.mask(np.arange(ROWS) % every == 3, odd)


def becomes(tmp_path, values, name="odd", **changes):
    """What becomes of a column beside those of parcels."""
    return column(planned(csv_file(tmp_path, parcels().assign(**{name: values})), **changes), name)


@pytest.mark.parametrize(
    ("values", "tokens"),
    [
        (some(some(SMALL, "98"), "96", 60), {"96", "98"}),
        (some(AMOUNTS, "-99"), {"-99"}),
        (some(AMOUNTS, "-99.0"), {"-99.0"}),
        (some(RANDOM.integers(18, 95, ROWS), "999"), {"999"}),
        (some(RANDOM.normal(size=ROWS).round(3), "-999.0"), {"-999.0"}),
        (some(RANDOM.normal(20, 5, ROWS).round(1), "-999.9"), {"-999.9"}),
        (some(RANDOM.normal(20, 5, ROWS).round(2), "-99.99"), {"-99.99"}),
        (some(RANDOM.integers(0, 60, ROWS), "65535"), {"65535"}),
        (some(AMOUNTS, "NA"), {"NA"}),
        (some(AMOUNTS, "?"), {"?"}),
        (some(AMOUNTS, "unknown"), {"unknown"}),
        (some(AMOUNTS, "n.v."), {"n.v."}),
        (some(RANDOM.choice(["a", "b"], ROWS), "unknown"), {"unknown"}),
        (some(RANDOM.choice(["a", "b"], ROWS), "?"), {"?"}),
    ],
)
def test_what_stands_for_a_missing_value_is_one(tmp_path, values, tokens):
    found = becomes(tmp_path, values)
    assert set(found.null_tokens) == tokens
    assert found.is_nullable
    assert found.role is Role.feature
    assert all(token in found.reason for token in tokens)


@pytest.mark.parametrize(
    "values",
    [
        RANDOM.integers(18, 100, ROWS),  # 96 to 99 are ages
        RANDOM.integers(-2, 9, ROWS),  # a scale
        RANDOM.integers(-1, 3, ROWS),
        RANDOM.integers(0, 3000, ROWS),  # 999 is an amount
        RANDOM.choice([95, 96, 97, 98], ROWS),
    ],
)
def test_a_number_that_others_surround_is_a_number(tmp_path, values):
    assert becomes(tmp_path, values).null_tokens == ()


@pytest.mark.parametrize(
    ("values", "type_", "is_nullable"),
    [
        (SMALL, "int", False),
        (some(SMALL, ""), "int", True),
        (some(SMALL, "  "), "int", True),
        (AMOUNTS, "double", False),
        (np.arange(ROWS) * 10**10 % (7 * 10**10), "bigint", False),
        (RANDOM.choice(["01", "07", "12"], ROWS), "string", False),
        (RANDOM.choice(["true", "false"], ROWS), "boolean", False),
        (RANDOM.choice(["2024-01-01", "2024-02-02"], ROWS), "date", False),
        (RANDOM.choice(["2024-01-01 10:00:00", "2024-02-02 11:00:00"], ROWS), "timestamp", False),
    ],
)
def test_the_narrowest_type_that_reads_everything_is_taken(tmp_path, values, type_, is_nullable):
    found = becomes(tmp_path, values)
    assert (found.type, found.is_nullable) == (type_, is_nullable)


@pytest.mark.parametrize(
    "texts",
    [
        [f"{x:.2f}".replace(".", ",") for x in AMOUNTS],
        [f"{x:,.2f}" for x in AMOUNTS],
        [f"{x}%" for x in SMALL],
        [f" {x} months" for x in SMALL],
    ],
)
def test_numbers_that_are_written_for_people_are_read_in_the_features(tmp_path, texts):
    found = becomes(tmp_path, texts)
    assert found.type == "string"
    [feature] = found.features
    assert feature.sql.startswith("try_cast(")
    # What is written in another way is rejected, and read as nothing else.
    [rule] = found.rules
    assert rule.name == "odd_readable"
    assert not bad_sql_of(rule.condition)


BEYOND = RANDOM.integers(1, 340, ROWS).astype(str)
IS_BEYOND = BEYOND.astype(int) > 299


@pytest.mark.parametrize("word", ["never", "none", "no visit", "it's {x}"])
def test_a_frequent_word_beside_numbers_is_a_feature_of_its_own(tmp_path, word):
    plan = planned(csv_file(tmp_path, parcels().assign(visit=np.where(IS_BEYOND, word, BEYOND))))
    found = column(plan, "visit")
    assert (found.type, found.null_tokens) == ("string", ())
    number, is_word = found.features
    assert number.sql == "try_cast(visit AS double)"
    assert is_word.name.startswith("visit_is_")
    assert is_word.word == word
    assert any(f"{word!r} beside numbers" in warning for warning in plan.warnings())
    assert word in found.reason


@pytest.mark.parametrize(
    ("word", "numbers"), [("none", RANDOM.integers(0, 300, ROWS)), ("None", BEYOND), ("NA", BEYOND)]
)
def test_a_word_that_says_that_there_is_no_number_is_a_missing_value(tmp_path, word, numbers):
    found = becomes(tmp_path, np.where(IS_BEYOND, word, numbers))
    assert (found.type, found.null_tokens, found.is_nullable) == ("int", (word,), True)


def test_a_rare_word_beside_numbers_is_missing_and_is_asked_about(tmp_path):
    plan = planned(csv_file(tmp_path, parcels().assign(odd=some(BEYOND, "tba", 300))))
    assert column(plan, "odd").null_tokens == ("tba",)
    assert any("'tba' beside numbers is taken for a missing" in told for told in plan.warnings())


@pytest.mark.parametrize("bound", ["60+", ">60", "≥ 60"])
def test_a_number_of_which_only_a_bound_is_said_is_that_bound_and_is_told(tmp_path, bound):
    months = np.where(BEYOND.astype(int) % 80 < 60, BEYOND.astype(int) % 80, 60)
    plan = planned(
        csv_file(tmp_path, parcels().assign(odd=np.where(months == 60, bound, months.astype(str))))
    )
    found = column(plan, "odd")
    assert (found.role, found.null_tokens, found.is_nullable) == (Role.feature, (), False)
    assert "from 0 to 60" in found.reason
    assert any(f"{bound} is read as the bound" in warning for warning in plan.warnings())


def test_amounts_that_nothing_reads_are_no_numbers_of_things_and_are_told(tmp_path):
    texts = [f"{x:,.2f} {'USD' if x > 3000 else 'EUR'}" for x in AMOUNTS]
    plan = planned(csv_file(tmp_path, parcels().assign(odd=texts)))
    assert column(plan, "odd").role is Role.kept
    assert "was not read as numbers" in column(plan, "odd").reason
    assert any("odd: was not read as numbers" in warning for warning in plan.warnings())


def test_yes_or_no_needs_one_of_each(tmp_path):
    for words in (["F", "N"], ["Y", "T"]):
        found = becomes(tmp_path, RANDOM.choice(words, ROWS))
        assert (found.type, len(found.features)) == ("string", 1)
        assert found.reason == "2 different words"
    found = becomes(tmp_path, RANDOM.choice(["yes", "no", "unknown"], ROWS))
    assert (found.type, found.reason) == ("boolean", "yes or no; unknown: missing")


WHOLE_AMOUNTS = RANDOM.integers(2, 60_000, ROWS)
US, GERMAN = [f"{x:,}" for x in WHOLE_AMOUNTS], [f"{x:,}".replace(",", ".") for x in WHOLE_AMOUNTS]
DECIMALS = [f"{x:.3f}" for x in 1 + WHOLE_AMOUNTS / 1000]


@pytest.mark.parametrize(
    ("texts", "decimal", "is_asked"),
    [
        (US, ".", True),
        ([f"{x:,}" for x in 1000 + WHOLE_AMOUNTS], ".", True),  # none without a comma
        ([f"{x:,}" for x in 50 * WHOLE_AMOUNTS], ".", False),  # 1,234,567 has two
        ([f"-{x:,} km" for x in WHOLE_AMOUNTS], ".", True),
        (GERMAN, ",", True),
        ([f"{x:.3f}".replace(".", ",") for x in WHOLE_AMOUNTS / 5e4], ",", False),  # 0,123
        ([f"{x:.3f}".replace(".", ",") for x in WHOLE_AMOUNTS / 7], ",", False),  # 1234,567
        ([f"{x:g}".replace(".", ",") for x in WHOLE_AMOUNTS / 1000], ",", False),  # 3,38
        (DECIMALS, "plain", False),
        (some(some(some(DECIMALS, "-99"), "999", 60), "0", 70), "plain", False),
        (
            [f"{x % 900 + 1},{x % 899 + 100}" if x % 2 else x for x in 1000 + WHOLE_AMOUNTS],
            ",",
            True,
        ),
        ([f"{x}.{y}" for x, y in zip(SMALL, WHOLE_AMOUNTS, strict=True)], "plain", False),
    ],
)
def test_a_mark_before_three_digits_stands_where_all_the_numbers_together_say(
    texts, decimal, is_asked
):
    found = profile("odd", pa.chunked_array([pa.array(list(map(str, texts)))]))
    assert (found.written.decimal if found.written else "plain") == decimal
    assert ("is it not" in found.doubt) == is_asked


def test_an_amount_with_a_mark_is_read_as_it_was_meant():
    for texts in (US, GERMAN):
        found = profile("odd", pa.chunked_array([pa.array(texts)]))
        assert found.numbers(pd.Series(texts)).tolist() == WHOLE_AMOUNTS.tolist()
    # 5000 without a mark beside it: the comma stands before decimals.
    units = [
        f"{x} kg" if x > 5000 else f"{x / 1000:.3f} kg".replace(".", ",") for x in WHOLE_AMOUNTS
    ]
    found = profile("odd", pa.chunked_array([pa.array(units)]))
    meant = [x if x > 5000 else x / 1000 for x in WHOLE_AMOUNTS]
    assert found.numbers(pd.Series(units)).tolist() == meant


@pytest.mark.parametrize("scale", [1e-8, 1e-300, 1e12])
def test_ranges_of_very_small_and_very_large_numbers_hold_them(tmp_path, scale):
    values = RANDOM.random(ROWS) * scale - scale / 2
    [rule] = becomes(tmp_path, [repr(x) for x in values.tolist()]).rules
    assert not bad_sql_of(rule.condition)
    low, high = (float(end.split()[-1]) for end in rule.condition.split(" AND "))
    assert low < values.min() < values.max() < high
    assert high - low < 3 * (values.max() - values.min())


def bad_sql_of(condition):
    return list(bad_sql("odd", condition, ["odd"]))


@pytest.mark.parametrize("huge", ["1e999", "1.7e308", "-1.7e308", "-1e15"])
def test_a_number_beyond_all_bounds_bounds_nothing(tmp_path, huge):
    odd = [repr(x) for x in RANDOM.random(ROWS).tolist()]
    odd[7] = huge
    found = becomes(tmp_path, odd)
    assert found.type == "double"
    assert len(found.rules) == (huge == "1e999")
    assert ("1 rows that are no numbers" in found.reason) == (huge == "1e999")


def test_a_few_words_among_numbers_will_be_rejected_and_are_counted(tmp_path):
    odd = some(SMALL, "").tolist()
    for place, word in ((5, "abc"), (99, "x1"), (500, "#"), (700, "oops")):
        odd[place] = word
    frame = parcels().assign(odd=odd)
    plan = planned(csv_file(tmp_path, frame))
    assert column(plan, "odd").type == "int"
    assert "4 rows that are no numbers will be rejected" in column(plan, "odd").reason
    assert plan.quarantine >= 0.01


@pytest.mark.parametrize(
    ("name", "values", "role"),
    [
        ("nothing", [""] * ROWS, Role.bronze_only),
        ("always", ["7"] * ROWS, Role.bronze_only),
        ("tracking", [f"T{i:06d}" for i in range(ROWS)], Role.kept),
        ("serial no", np.arange(ROWS) * 7 + 5, Role.kept),
        ("note", [f"left at door {i % 900}" for i in range(ROWS)], Role.kept),
        ("mailbox", [f"a{i}@post.example" for i in range(ROWS)], Role.bronze_only),
        ("contact", [f"+49 30 {1000000 + i}" for i in range(ROWS)], Role.bronze_only),
        ("lastName", RANDOM.choice(["Li", "Roe", "Kim"], ROWS), Role.bronze_only),
        (
            "depot",
            [f"Ann{chr(97 + i % 26)} Ro{chr(97 + i % 23)}e" for i in range(ROWS)],
            Role.kept,
        ),
        ("paid with", ["4111 1111 1111 1111", "5500 0000 0000 0004"] * (ROWS // 2), Role.feature),
        (
            "card",
            ["4111111111111111", "5500000000000004", "340000000000009"] * (ROWS // 3),
            Role.bronze_only,
        ),
        ("sex", RANDOM.choice(["f", "m"], ROWS), Role.protected),
        ("Age", RANDOM.integers(18, 90, ROWS), Role.protected),
        ("maritalStatus", RANDOM.choice(["1", "2", "3"], ROWS), Role.protected),
        ("delivered on", RANDOM.choice(["2024-05-01", "2024-06-01"], ROWS), Role.kept),
        ("customer_id", RANDOM.integers(1, 200, ROWS), Role.kept),
        ("storeId", RANDOM.integers(1, 9, ROWS), Role.kept),
        ("guid", RANDOM.choice([f"{i:x}-a" for i in range(50)], ROWS), Role.kept),
        ("id_depot", RANDOM.integers(1, 9, ROWS) / 2, Role.kept),
        ("region_id", RANDOM.choice(["n", "s", "e"], ROWS), Role.feature),
        ("paid", RANDOM.integers(1, 200, ROWS), Role.feature),
    ],
)
def test_a_column_gets_the_role_that_its_name_and_values_say(tmp_path, name, values, role):
    found = becomes(tmp_path, values, name)
    assert found.role is role, found.reason
    assert found.reason
    identifies = found.role is Role.bronze_only and "personal" in found.reason
    assert found.is_pii == (identifies or role is Role.protected)


def test_names_of_people_are_known_by_what_they_look_like(tmp_path):
    first, last = ["Ann", "Bo", "Cem", "Dee", "Eva", "Finn", "Gus"], ["Roe", "Li", "Kaya", "Ott"]
    names = [
        f"{first[i % 7]} {last[i % 4]}{chr(97 + i % 26)}{chr(97 + i // 26 % 26)}"
        for i in range(ROWS)
    ]
    found = becomes(tmp_path, names, "addressee")
    assert (found.role, found.is_pii) == (Role.bronze_only, True)


WORDS = ["mutig", "heiter", "wolkig", "sonnig", "neblig"]
PEOPLE = [
    *("Braund, Mr. Owen Harris", "Cumings, Mrs. John Bradley (Florence Briggs Thayer)"),
    *("Owen B. Braund", "Élodie Durand", "Łukasz Šimek", "Ludwig van Beethoven", "Ana O'Neil-Ruiz"),
]


def people(many):
    """As many names of people, each of them another one."""
    for i in range(many):
        letters = chr(97 + i % 26) + chr(97 + i // 26 % 26) + chr(97 + i // 676)
        yield f"{PEOPLE[i % 7].rstrip(')')}{letters}" + ")" * PEOPLE[i % 7].endswith(")")


IDENTIFYING = {
    "Name": list(people(300)) * 4,
    "who": list(people(ROWS)),
    "msisdn": 4915112345678 + np.arange(ROWS) * 7919,
    "phoneNumber": [f"{i}.0" for i in 491511234567 + np.arange(ROWS) % 300],
    "src": [f"2001:db8::{i:x}" for i in range(ROWS)],
    "nic": [f"00:1b:44:11:{i // 256:02x}:{i % 256:02x}" for i in range(ROWS)],
    "E-Mail": [f"{i:032x}" for i in range(ROWS)],
    "kennzeichen": [f"B-MW {i}" for i in range(1000, 1000 + ROWS)],
    "note": [f"left at door {i}, call +49 30 {i % 99 + 1234567}" for i in range(ROWS)],
    "remark": [f"parcel {i}" + (" phone: 030/1234567" if i % 50 == 0 else "") for i in range(ROWS)],
    "hint": [f"parcel {i} for a{i}@post.example" for i in range(ROWS)],
    "phone": RANDOM.choice(["030 1234567 x", "040 7654321 x"], ROWS),
    "birth": RANDOM.integers(1940, 2005, ROWS),
    "passport_number": 90_001 + np.arange(ROWS) % 900,
    "card_no": 10_001 + np.arange(ROWS) % 900,
}
IMPERSONAL = {
    "PhoneService": RANDOM.choice(["Yes", "No"], ROWS),
    "email_opt_in": RANDOM.choice(["true", "false"], ROWS),
    "has_mobile": RANDOM.integers(0, 2, ROWS),
    "own_telephone": RANDOM.choice(["yes", "none"], ROWS),
    "telephone": RANDOM.choice(["A191", "A192"], ROWS),
    "phone_calls": RANDOM.integers(0, 60, ROWS),
    "emails_opened": some(RANDOM.integers(0, 900, ROWS), ""),
    "mobile_spend": (RANDOM.lognormal(11, 1, ROWS)).round(2),
    "phone_type": RANDOM.choice(["home", "work", "other"], ROWS),
    "Street": RANDOM.choice(["Pave", "Grvl"], ROWS),
    "customer_name_changed": RANDOM.choice(["Y", "N"], ROWS),
    "Vehicle_Age": RANDOM.choice(["< 1 Year", "1-2 Year", "> 2 Years"], ROWS),
    "vehicle_age": RANDOM.integers(0, 20, ROWS),
    "account_age": RANDOM.integers(0, 4000, ROWS),
    "age_of_house": RANDOM.integers(0, 90, ROWS),
    "weather now": RANDOM.choice(WORDS, ROWS),
    "right": RANDOM.choice(["Call option 2024-06-21", "Put option 2024-06-21"], ROWS),
}


@pytest.mark.parametrize("name", IDENTIFYING)
def test_what_names_somebody_stays_in_bronze(tmp_path, name):
    found = becomes(tmp_path, IDENTIFYING[name], name)
    assert (found.role, found.is_pii) == (Role.bronze_only, True), found.reason


def test_a_name_is_evidence_only_if_the_values_can_be_what_it_says(tmp_path):
    plan = planned(csv_file(tmp_path, parcels().assign(**IMPERSONAL)))
    for name in IMPERSONAL:
        found = column(plan, name)
        assert (found.role, found.is_pii) == (Role.feature, False), f"{name}: {found.reason}"


@pytest.mark.parametrize(
    "name",
    [
        *("AGE", "customer_age", "driverAge", "age_in_years", "age at delivery", "age_of_customer"),
        *("age_client", "head_age", "partner_age", "CODE_AGE", "drivers_age", "age_cohort"),
    ],
)
def test_the_age_of_a_person_is_protected(tmp_path, name):
    assert becomes(tmp_path, RANDOM.integers(18, 90, ROWS), name).role is Role.protected


@pytest.mark.parametrize(
    "text",
    [
        "New note of 2024",
        "red shirt",
        "Li",
        "Ann 2",
        "the House",
        "A B",
        "left at Door",
        "Bank of Aaa",
    ],
)
def test_words_that_are_written_otherwise_are_no_name_of_a_person(text):
    assert not is_full_name(text)


def test_a_card_number_keeps_its_sum():
    assert is_card("4111 1111 1111 1111")
    assert not is_card("4111 1111 1111 1112")


LATE = (parcels()["late"] == "yes").to_numpy()
LEAKS = {
    "the label itself": np.where(LATE, "yes", "no"),
    "the label as a number": LATE.astype(int),
    "the label turned round": 1 - LATE,
    "other words for it": np.where(LATE, "complaint", "fine"),
    "an amount that orders it": np.where(LATE, 100, 1) + RANDOM.random(ROWS),
    "nearly always": np.where(RANDOM.random(ROWS) < 0.005, ~LATE, LATE).astype(int),
    "a time that is there only after it": np.where(LATE, "2024-07-01", ""),
    "an amount that is there only after it": np.where(LATE, SMALL.astype(str), ""),
    "the amount that it is made of, in words": np.where(LATE, "5 days", "0 days"),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_column_that_is_the_label_in_other_words_is_no_feature(tmp_path, name):
    plan = planned(csv_file(tmp_path, parcels().assign(odd=LEAKS[name])))
    found = column(plan, "odd")
    assert found.role is Role.kept
    assert found.reason.endswith("a leak")
    assert f"odd is no feature: {found.reason}" in set(plan.warnings())


def test_an_honest_strong_column_is_a_feature_and_the_rule_of_thumb(tmp_path):
    strong = np.where(RANDOM.random(ROWS) < 0.2, ~LATE, LATE) * 10 + RANDOM.integers(0, 5, ROWS)
    plan = planned(csv_file(tmp_path, parcels().assign(odd=strong)))
    assert column(plan, "odd").role is Role.feature
    assert plan.naive == "odd"
    turned = planned(csv_file(tmp_path, parcels().assign(odd=100 - strong)))
    assert turned.naive == "minus_odd"
    assert "odd" not in [feature.name for feature in turned.features]


def test_ranges_have_slack_and_take_what_was_seen(tmp_path):
    [rule] = becomes(tmp_path, some(SMALL, "98")).rules
    assert rule.condition == "odd IS NULL OR (odd >= 0 AND odd <= 20)"
    [rule] = becomes(tmp_path, RANDOM.integers(-50, 51, ROWS)).rules
    assert rule.condition == "odd >= -100 AND odd <= 100"


def test_words_become_columns_of_their_own_and_new_ones_warn(tmp_path):
    found = becomes(tmp_path, RANDOM.choice(["it's", "a\\b", "{c}"], ROWS))
    assert {feature.name for feature in found.features} == {"odd_is_it_s", "odd_is_a_b", "odd_is_c"}
    [rule] = found.rules
    assert rule.warns
    assert "'it\\'s'" in rule.condition


def test_of_very_many_columns_the_strongest_are_features(tmp_path):
    many = {f"noise_{i}": RANDOM.random(ROWS).round(4) for i in range(60)}
    plan = planned(csv_file(tmp_path, parcels().assign(**many)))
    assert len(plan.features) == 40
    assert "weight" in [feature.name for feature in plan.features]


@pytest.mark.parametrize("odd", ["0000-01-01", "٢٠٢٤-٠١-٠١"])
def test_a_day_that_the_engine_cannot_read_makes_no_column_of_days(odd):
    day = "2024-01-01" + odd[10:]
    texts = pa.chunked_array([pa.array([day] * 50 + [odd])])
    assert profile("sent", texts).type == "string"
    assert profile("sent", pa.chunked_array([pa.array([day] * 51)])).type != "string"


@pytest.mark.parametrize("zero", ["0000-00-00", "0000-00-00 00:00:00"])
def test_a_day_of_zeros_is_none(tmp_path, zero):
    days = [zero if n % 3 else f"2024-01-{n % 28 + 1:02}{zero[10:]}" for n in range(ROWS)]
    found = becomes(tmp_path, days, "closed")
    assert (found.role, found.null_tokens) == (Role.kept, (zero,))


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("holder", "Anna {0}berg", "name of a person"),
        (
            "payment",
            "SEPA an Weber, IBAN DE89 3704 0044 0532 0130 00 for {0}",
            "numbers of accounts",
        ),
        ("memo", "card 4111 1111 1111 1111 paid order {0}", "numbers of cards"),
        ("call", "caller ssn 123-45-67{0}", "numbers of identity papers"),
        ("log", "GET /x from 10.0.7.{0}", "addresses of devices"),
        ("said", "spoke to Mr Weber about {0}", "names of people"),
        ("extra", '{{"user":"a{0}@post.example"}}', "mail addresses"),
        ("account_number", "DE-100{0}-55", "number of a card or an account"),
        ("geb_dat", "19{0}-02-03", "date of birth"),
    ],
)
def test_what_tells_of_a_person_stays_in_bronze(tmp_path, name, text, what):
    values = [text.format(10 + n % 89) for n in range(ROWS)]
    if name == "holder":
        letters = "abcdefghij"
        values = [f"Anna {letters[n // 10 % 10].upper()}{letters[n % 10]}berg" for n in range(ROWS)]
    found = becomes(tmp_path, values, name)
    assert (found.role, found.is_pii) == (Role.bronze_only, True), found.reason
    assert what in found.reason


def test_whoever_leaves_mail_or_phone_as_a_contact_is_a_person(tmp_path):
    contacts = [f"a{n}@post.example" if n % 5 > 1 else f"+49 30 {n:07}" for n in range(ROWS)]
    assert becomes(tmp_path, contacts, "reach_at").is_pii


@pytest.mark.parametrize("name", ["customer", "driver_rating", "subscriber", "holder_type"])
def test_what_persons_are_numbered_or_sorted_by_is_no_name(tmp_path, name):
    for values in ([n % 97 * 3000.5 for n in range(ROWS)], [f"kind {n % 4}" for n in range(ROWS)]):
        assert not becomes(tmp_path, values, name).is_pii


@pytest.mark.parametrize(
    "name",
    ["policy_holder_age", "age_at_loan", "account_holder_age", "SeniorCitizen", "Anrede", "yob"],
)
def test_groups_of_persons_are_compared_and_no_features(tmp_path, name):
    ages = [18 + n % 60 for n in range(ROWS)] if "age" in name else [n % 2 for n in range(ROWS)]
    found = becomes(tmp_path, ages, name)
    assert (found.role, found.features) == (Role.protected, ())


@pytest.mark.parametrize("name", ["vehicle_age_at_loan", "account_age", "device_age"])
def test_the_age_of_a_thing_is_a_feature(tmp_path, name):
    assert becomes(tmp_path, [n % 60 for n in range(ROWS)], name).role is Role.feature


@pytest.mark.parametrize("name", ["loan_nbr", "KUNNR", "order_no", "customer_number"])
def test_numbers_of_things_are_no_amounts_however_often_each_occurs(tmp_path, name):
    assert becomes(tmp_path, [4711 + n % 300 for n in range(ROWS)], name).role is Role.kept


def test_three_letters_of_which_two_mean_no_are_words(tmp_path):
    found = becomes(tmp_path, ["TFN"[n % 3] for n in range(ROWS)], "state")
    assert (found.type, len(found.features)) == ("string", 3)


def test_words_of_which_only_late_ones_have_many_are_a_leak(tmp_path):
    late = parcels()["late"].eq("yes")
    words = [f"reason {n % 25}" if is_late else "N/A" for n, is_late in enumerate(late)]
    found = becomes(tmp_path, words, "complaint")
    assert (found.is_leak, found.features) == (True, ())


def test_many_words_beside_a_rare_event_are_no_leak():
    rows = 40_000
    rare = pd.Series((RANDOM.random(rows) < 0.002).astype("float64"))
    merchants = pd.Series([f"merchant {n}" for n in RANDOM.integers(0, 1500, rows)])
    assert gives_away(told_by_words(merchants, rare), rare, "binary") == ""
    reasons = merchants.where(rare == 0, "fraud desk")
    assert gives_away(told_by_words(reasons, rare), rare, "binary")


PRICES = [9.99, 19.99, 29.99, 49.99, 99.99, 9999.99]


@pytest.mark.parametrize(
    "values",
    [
        RANDOM.choice(PRICES, ROWS),
        RANDOM.choice([95, 96.5, 97, 99.9], ROWS),
        [99.99 if n % 50 == 0 else 149.99 + 10 * (n % 15) for n in range(ROWS)],
        [65535 if n % 50 == 0 else 66000 + n % 20 for n in range(ROWS)],
    ],
)
def test_prices_and_smallest_values_are_no_sentinels(values):
    found = profile("price", pa.chunked_array([pa.array([str(x) for x in values])]))
    assert (found.sentinels, found.missing) == ((), 0)


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("owner", ["First Owner", "Second Owner", "Third Owner"]),
        ("courier", ["Blue Dart", "Ecom Express", "Delhivery Surface"]),
        ("client", ["Mobile App", "Web Browser"]),
        ("user_agent", ["Mozilla Firefox", "Google Chrome", "Safari Mobile"]),
        ("snack", ["Dr Pepper", "Mr Pibb", "Mrs Smith Pie"]),
        ("stamp", [f"EAN {4006381333931 + 7 * n}" for n in range(ROWS)]),
        ("version", [f"fw 1.2.{n % 9}.{n % 13} of {n}" for n in range(ROWS)]),
        ("station", [f"{n} Lake Shore Dr North" for n in range(ROWS)]),
        ("sku", [f"sku: DE12ABCD{123456000 + n}" for n in range(ROWS)]),
        ("part", ["part 123-45-6789", "part 123-45-6790", "part 123-45-6791"]),
        ("el_nino", [f"{n % 400 / 100}" for n in range(ROWS)]),
        ("gps_speed", [f"{n % 130}" for n in range(ROWS)]),
        ("konto_stand", [f"{100_000 + n * 7}" for n in range(ROWS)]),
    ],
)
def test_what_only_resembles_personal_data_is_none(name, texts):
    values = (texts * ROWS)[:ROWS]
    found = personal(profile(name, pa.chunked_array([pa.array(values)])))
    assert found.kind is Personal.none, found.reason


@pytest.mark.parametrize(
    ("name", "is_persons"),
    [
        ("insured_vehicle_age", False),
        ("customer_account_age", False),
        ("user_account_age_days", False),
        ("age_of_vehicle_at_claim", False),
        ("age_of_customer", True),
        ("driver_age", True),
        ("customer_ages", True),
    ],
)
def test_the_word_nearest_to_an_age_says_whose_it_is(name, is_persons):
    assert is_age(name) == is_persons


@pytest.mark.parametrize("name", ["order_number", "claim_number", "ticket_num"])
def test_small_numbers_of_orders_count_them(tmp_path, name):
    assert becomes(tmp_path, [1 + n * 7 % 59 for n in range(ROWS)], name).role is Role.feature


@pytest.mark.parametrize("words", ["TRUE FALSE Yes No", "Y FALSE", "TRUE n"])
def test_words_for_yes_and_no_may_be_mixed(words):
    texts = (words.split() * ROWS)[:ROWS]
    assert profile("odd", pa.chunked_array([pa.array(texts)])).type == "boolean"
