"""Silver: every delivered row is published, quarantined with its reasons, or an exact duplicate."""

import random
from dataclasses import replace
from datetime import datetime

import pytest

from finance_assets.lakehouse.refine import DUPLICATE, PUBLISHED, QUARANTINED, alike_rows
from finance_assets.lakehouse.refine import refine as refine_rows
from finance_assets_tests.scenario import (
    APRIL,
    BRONZE,
    MAY,
    SILVER,
    Statement,
    contract,
    deliver,
    failed,
    statements,
)

GOOD = statements(APRIL, 20)


def refine(runner, settings, *rows):
    """Deliver twenty good rows and these, and run to silver."""
    deliver(settings.landing, APRIL, *GOOD, *rows)
    runner.run(BRONZE, APRIL)
    return runner.run(SILVER, APRIL)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (replace(Statement("99"), bill_ntd="12.7"), "bill_ntd: not readable as bigint"),
        (replace(Statement("99"), bill_ntd="n/a"), "bill_ntd: not readable as bigint"),
        (replace(Statement("99"), payment_ntd=""), "payment_ntd: required, but missing"),
        (replace(Statement("99"), payment_ntd="-5"), "payment_not_negative: A payment cannot"),
        (replace(Statement("99"), pay_status="12"), "pay_status_range: The status scale"),
        (replace(Statement("99"), age_years="17"), "age_plausible: Holders are adults"),
        (replace(Statement("99"), sex_code="3"), "sex_code_known: The processor documents"),
        (replace(Statement("99"), education_code="7"), "education_code_range"),
        (replace(Statement("99"), marital_status_code="4"), "marital_status_code_range"),
        (replace(Statement("99"), credit_limit_ntd="0"), "credit_limit_positive"),
        (replace(Statement("99"), account_id="-1"), "account_id_positive"),
        (replace(Statement("99"), statement_month=MAY), "other_partition: statement_month is not"),
        (replace(Statement("99"), bill_ntd="9" * 30), "bill_ntd: not readable as bigint"),
        ("99,2005-04,20000", "malformed_line: the number of fields is wrong"),
        (Statement("99").line() + ",extra", "malformed_line: the number of fields is wrong"),
    ],
)
def test_a_bad_row_is_quarantined_with_its_reason_and_its_line(runner, settings, bad, reason):
    result = refine(runner, settings, bad)
    quarantined = runner.quarantined(SILVER)
    assert list(quarantined) == [22]
    assert quarantined[22].startswith(reason)
    assert len(runner.rows(SILVER)) == 20
    ledger = result.publication.ledgers[APRIL]
    assert (ledger.delivered, ledger.published, ledger.quarantined) == (21, 20, 1)
    assert ledger.is_balanced


def test_a_row_with_several_faults_gets_every_reason(runner, settings):
    refine(runner, settings, Statement("99", bill_ntd="x", payment_ntd="y"))
    assert runner.quarantined(SILVER)[22] == (
        "bill_ntd: not readable as bigint; payment_ntd: not readable as bigint"
    )


def test_exact_duplicates_are_removed_and_counted(runner, settings):
    result = refine(runner, settings, GOOD[0], GOOD[0], GOOD[1])
    ledger = result.publication.ledgers[APRIL]
    assert (ledger.delivered, ledger.published, ledger.duplicates) == (23, 20, 3)
    assert ledger.quarantined == 0


def test_a_key_with_different_values_is_quarantined_in_all_its_versions(runner, settings):
    other = replace(GOOD[0], bill_ntd="1")
    result = refine(runner, settings, other)
    quarantined = runner.quarantined(SILVER)
    assert list(quarantined) == [2, 22]
    assert all(reason.startswith("conflicting_duplicate") for reason in quarantined.values())
    assert result.publication.ledgers[APRIL].published == 19


def test_undocumented_codes_and_negative_bills_are_real_and_stay(runner, settings):
    refine(
        runner,
        settings,
        Statement("98", education_code="0", marital_status_code="0"),
        Statement("99", bill_ntd="-150"),
    )
    assert {98, 99} <= {row["account_id"] for row in runner.rows(SILVER)}


def test_a_delivery_that_is_mostly_rubbish_is_refused_as_a_whole(runner, settings):
    refine(runner, settings)
    version = runner.lakehouse.history(SILVER).version
    rubbish = [Statement(str(i), bill_ntd="x") for i in range(50, 60)]
    refused = refine(runner, settings, *rubbish)
    assert refused.publication is None
    assert failed(refused) == ["quarantine_share"]
    assert runner.lakehouse.history(SILVER).version == version
    assert runner.quarantined(SILVER) == {}


def test_a_corrected_delivery_empties_the_quarantine_of_its_month(runner, settings):
    refine(runner, settings, Statement("99", bill_ntd="x"))
    assert len(runner.quarantined(SILVER)) == 1
    refine(runner, settings, Statement("99"))
    assert runner.quarantined(SILVER) == {}
    assert len(runner.rows(SILVER)) == 21


def test_the_silent_change_of_encoding_is_a_warning_on_its_month(runner, settings):
    result = refine(runner, settings, Statement("99", pay_status="1"))
    assert failed(result) == ["rule_pay_status_1_rare"]
    assert result.publication.failed_checks == {APRIL: ["rule_pay_status_1_rare"]}


def test_the_first_of_three_copies_is_published_with_its_line(runner, settings):
    """Numbers sort as numbers: line 9 stands before line 10."""
    copies = [Statement("99")] * 3
    deliver(settings.landing, APRIL, *GOOD[:7], *copies, *GOOD[7:])
    runner.run(BRONZE, APRIL)
    ledger = runner.run(SILVER, APRIL).publication.ledgers[APRIL]
    assert (ledger.delivered, ledger.published, ledger.duplicates) == (23, 21, 2)
    bad = [Statement("99", bill_ntd="x")] * 3
    deliver(settings.landing, APRIL, *GOOD[:7], *bad, *GOOD[7:])
    runner.run(BRONZE, APRIL)
    ledger = runner.run(SILVER, APRIL).publication.ledgers[APRIL]
    assert (ledger.published, ledger.quarantined, ledger.duplicates) == (20, 1, 2)
    assert list(runner.quarantined(SILVER)) == [9]


def test_a_copy_of_a_row_in_conflict_is_a_copy_and_does_not_add_to_the_conflict(runner, settings):
    other = replace(GOOD[0], bill_ntd="1")
    ledger = refine(runner, settings, other, GOOD[0], other).publication.ledgers[APRIL]
    assert list(runner.quarantined(SILVER)) == [2, 22]
    assert (ledger.published, ledger.quarantined, ledger.duplicates) == (19, 2, 2)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (Statement("", bill_ntd="1"), Statement("", bill_ntd="2"), "account_id: required"),
        ("x", "y", "malformed_line: the number of fields"),
    ],
)
def test_rows_without_a_key_conflict_with_none(runner, settings, first, second, reason):
    ledger = refine(runner, settings, first, second, first).publication.ledgers[APRIL]
    quarantined = runner.quarantined(SILVER)
    assert list(quarantined) == [22, 23]
    assert all(text.startswith(reason) and ";" not in text for text in quarantined.values())
    assert (ledger.published, ledger.quarantined, ledger.duplicates) == (20, 2, 1)


def test_every_fate_is_what_reading_line_by_line_gives(spark):
    """Two months at once, as each alone: with the same file and line numbers, some rows that
    belong to the other month, and far more copies than usual.
    """
    chance = random.Random(3)
    rows = [_delivered(chance, month, line) for month in (APRIL, MAY) for line in range(2, 150)]
    ddl = ", ".join(f"`{c.name}` {c.type}" for c in contract(BRONZE).columns)
    frame = spark.createDataFrame([tuple(row.values()) for row in rows], ddl)
    chance.shuffle(rows)
    source, target = contract(BRONZE), contract(SILVER)
    judged = refine_rows(frame, source, target, alike_rows(frame, source, target))
    found = {
        (row["delivery_month"], row["_source_line"]): (
            row["_fate"],
            "conflicting_duplicate" in (row["_reasons"] or ""),
        )
        for row in judged.collect()
    }
    expected = _line_by_line(rows)
    assert found == expected
    assert {fate for fate, _ in expected.values()} == {PUBLISHED, QUARANTINED, DUPLICATE}
    assert len(set(expected.values())) == 5, "some combination of fate and conflict is missing"


def _delivered(chance: random.Random, month: str, line: int) -> dict[str, object]:
    """A bronze row with few possible values; some lack the key, some could not be split."""
    statement = Statement(
        account_id=chance.choice(["", *map(str, range(1, 40))]),
        statement_month=chance.choice([month] * 8 + [APRIL, MAY]),
        bill_ntd=chance.choice(["1", "1", "1", "2", "x"]),
    )
    fields = vars(statement)
    malformed = chance.choice([None] * 9 + ["a", "b"])
    payload = dict.fromkeys(fields) if malformed else fields
    origin = {"_malformed_line": malformed, "_source_file": "one.csv", "_source_line": line}
    return {**payload, "delivery_month": month, **origin, "_ingested_at": datetime(2005, 6, 1)}


def _line_by_line(rows: list[dict[str, object]]) -> dict[tuple[str, int], tuple[str, bool]]:
    """Fate and conflict of each row, by reading in the order of the file."""

    def payload(row):
        return tuple(v for k, v in row.items() if k[0] != "_" or k == "_malformed_line")

    def key(row):
        if not row["account_id"]:
            return None
        return row["delivery_month"], row["account_id"], row["statement_month"]

    ordered = sorted(rows, key=lambda row: (row["delivery_month"], row["_source_line"]))
    versions = {row_key: set() for row_key in map(key, ordered)}
    for row in ordered:
        versions[key(row)].add(payload(row))
    seen, fates = set(), {}
    for row in ordered:
        is_conflict = key(row) is not None and len(versions[key(row)]) > 1
        is_elsewhere = row["statement_month"] not in (None, row["delivery_month"])
        is_bad = is_conflict or is_elsewhere or key(row) is None or row["bill_ntd"] == "x"
        fate = DUPLICATE if payload(row) in seen else QUARANTINED if is_bad else PUBLISHED
        seen.add(payload(row))
        fates[row["delivery_month"], row["_source_line"]] = (fate, is_conflict)
    return fates
