"""Why rows were rejected: in the check, in the run's error and event, and row by row afterwards."""

from dataclasses import replace

import pytest

from finance_assets.assets.build import reported
from finance_assets.commands.rejects import Rejects
from finance_assets.compute.runner import open_context
from finance_assets.errors import HistoryError, SettingsError
from finance_assets_tests.scenario import (
    APRIL,
    BRONZE,
    MAY,
    NAME,
    SILVER,
    USE_CASE,
    Statement,
    contract,
    deliver,
    delivered,
    statements,
)

BAD = [
    Statement("950", bill_ntd="x"),
    Statement("951", bill_ntd="y"),
    Statement("952", bill_ntd="z", payment_ntd="-7"),
    Statement("953", payment_ntd="-5", age_years="12"),
    "rubbish",
]


def ask(runner, **arguments):
    ctx = open_context(
        runner.settings, lambda: runner.spark, run_id="test", report=lambda text: None
    )
    return Rejects(**arguments).run(ctx, USE_CASE)


def refine(runner, settings, good: int):
    deliver(settings.landing, APRIL, *statements(APRIL, good), *BAD)
    runner.run(BRONZE, APRIL)
    return runner.run(SILVER, APRIL)


@pytest.fixture
def refused(runner, settings):
    """April with five bad rows among twenty: refused as a whole."""
    result = refine(runner, settings, 15)
    assert result.publication is None
    return result


def test_a_refusal_names_the_top_reasons_with_counts_and_examples(refused):
    [broken] = [outcome for outcome in refused.outcomes if not outcome.is_passed]
    assert broken.check.name == "quarantine_share"
    assert broken.by_partition[APRIL] in broken.observed
    said = broken.observed
    assert "5 of 20 rows: bill_ntd: not readable as bigint (3 rows, such as " in said
    assert f"{delivered(APRIL)}:17 (bill_ntd='x')" in said
    assert f"and {delivered(APRIL)}:19 (bill_ntd='z')" in said
    assert "age_plausible: Holders are adults. (1 row, such as" in said
    assert said.index("bill_ntd:") < said.index("age_plausible")


def test_the_reasons_hold_no_personal_data(refused):
    told = str(refused.outcomes) + str(refused.documents)
    assert "age_years=" not in told
    assert "rubbish" not in told
    assert "953" not in told


def test_the_failure_that_dagster_shows_has_the_reasons_and_the_command(refused):
    import dagster as dg

    class Context:
        """Only checks are reported before the failure."""

    step = USE_CASE.step(SILVER)
    with pytest.raises(dg.Failure) as caught:
        list(reported(Context(), step, refused))
    failure = caught.value
    assert "bill_ntd: not readable as bigint (3 rows" in failure.description
    assert f"finance-assets rejects {NAME} --partition" in failure.description
    table = failure.metadata["Rejected rows"].value
    assert "| 2005-04 | bill_ntd: not readable as bigint | 3 |" in table
    assert "| 2005-04 | malformed_line: the number of fields is wrong | 1 |" in table


def test_rejected_rows_of_a_refused_partition_can_be_looked_at(runner, refused):
    [found] = ask(runner, partition=APRIL)
    assert (found.table, found.is_accepted, found.rows) == (SILVER, False, 5)
    assert (found.reasons[0].reason, found.reasons[0].rows) == (
        "bill_ntd: not readable as bigint",
        3,
    )
    assert [row.line for row in found.examples] == [17, 18, 19, 20, 21]
    assert found.examples[0].values["bill_ntd"] == "x"
    assert found.examples[3].reasons == (
        "age_plausible: Holders are adults.",
        "payment_not_negative: A payment cannot be negative.",
    )
    assert found.examples[4].malformed == "rubbish"


def test_rejected_rows_of_an_accepted_partition_are_its_quarantine(runner, settings):
    result = refine(runner, settings, 100)
    assert result.publication is not None
    assert "bill_ntd: not readable as bigint | 3" in result.documents["Rejected rows"]
    [found] = ask(runner, partition=APRIL, limit=2)
    assert (found.is_accepted, found.rows, len(found.examples)) == (True, 5, 2)
    [again] = ask(runner, partition=APRIL, table=SILVER)
    assert [row.line for row in again.examples] == [102, 103, 104, 105, 106]


def test_a_delivery_that_is_refused_after_one_was_accepted_shows_its_own_rows(runner, settings):
    refine(runner, settings, 100)
    deliver(settings.landing, APRIL, *statements(APRIL, 3), Statement("9", sex_code="7"))
    runner.run(BRONZE, APRIL)
    assert runner.run(SILVER, APRIL).publication is None
    [found] = ask(runner, partition=APRIL)
    assert (found.is_accepted, found.rows) == (False, 1)
    assert found.examples[0].reasons == ("sex_code_known: The processor documents 1 and 2.",)


def test_a_partition_without_rejected_rows_says_so(runner, settings):
    deliver(settings.landing, APRIL, *statements(APRIL))
    runner.run(BRONZE, APRIL)
    [found] = ask(runner, partition=APRIL)
    assert (found.is_accepted, found.rows, found.reasons) == (False, 0, ())
    runner.run(SILVER, APRIL)
    [found] = ask(runner, partition=APRIL)
    assert (found.is_accepted, found.rows, found.reasons) == (True, 0, ())


def test_what_cannot_be_asked_is_refused(runner, refused):
    with pytest.raises(HistoryError, match="nothing was ingested"):
        ask(runner, partition=MAY)
    with pytest.raises(SettingsError, match="no partition of the calendar"):
        ask(runner, partition="2005-99")
    with pytest.raises(SettingsError, match=f"no table of {NAME} that rejects rows"):
        ask(runner, partition=APRIL, table=BRONZE)


def test_the_command_prints_reasons_and_rows(runner, refused):
    from typer.testing import CliRunner

    from finance_assets.cli.main import app

    shown = CliRunner().invoke(app, ["rejects", NAME, "--partition", APRIL])
    assert shown.exit_code == 0, shown.output
    assert "5 rows rejected: refused, or not refined yet" in shown.output
    assert f"{delivered(APRIL)}:21 malformed_line" in shown.output
    assert "rubbish" in shown.output
    as_json = ["rejects", NAME, "--partition", APRIL, "--json"]
    assert '"rows": 5' in CliRunner().invoke(app, as_json).output


def test_reasons_are_told_apart_though_a_sentence_holds_the_sign_between_them(runner, settings):
    from finance_assets.lakehouse.contract import RowRule
    from finance_assets.steps.table import refine_step

    rules = (RowRule("odd", "bill_ntd < 0", "Odd; very odd; it's 100 \\ 0."),)
    target = replace(contract(SILVER), row_rules=rules)
    deliver(settings.landing, APRIL, *statements(APRIL, 1))
    runner.run(BRONZE, APRIL)
    step = refine_step(NAME, contract(BRONZE), target)
    result = runner.run(SILVER, APRIL, step=step)
    [broken] = [o for o in result.outcomes if o.check.name == "quarantine_share"]
    assert "odd: Odd, very odd, it's 100 \\ 0. (1 row" in broken.observed
