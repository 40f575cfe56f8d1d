"""Silver: every delivered row is published, quarantined with its reasons, or an exact duplicate."""

from dataclasses import replace

import pytest

from finance_assets_tests.scenario import APRIL, MAY, Statement, deliver, failed, statements

BRONZE, SILVER = "bronze.credit_statements", "silver.credit_statements"
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
        (replace(Statement("99"), statement_month=MAY), "other_month: statement_month is not"),
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
