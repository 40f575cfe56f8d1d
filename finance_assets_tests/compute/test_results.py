"""What a step or a command tells from afar arrives as it was."""

import json
from dataclasses import asdict

import pytest

from finance_assets.codec import of_record
from finance_assets.compute.reporting import ANSWER, RESULT, Failure, print_message
from finance_assets.compute.results import from_record, to_record
from finance_assets.lakehouse.audit import CheckOutcome
from finance_assets.lakehouse.contract import Check, Severity
from finance_assets.lakehouse.history import Ledger, Publication
from finance_assets.step.declaration import StepResult

PUBLICATION = Publication(
    table="silver.x",
    first="2024-01",
    last="2024-02",
    ledgers={"2024-01": Ledger(3, 2, 1), "2024-02": Ledger(0, 0)},
    fingerprints={"2024-01": "2:7", "2024-02": "0:0"},
    failed_checks={"2024-01": ["rule_rare"]},
    run_id="run",
    code_sha="code",
    inputs={"bronze.x": 4},
    version=7,
)
RESULTS = StepResult(
    outcomes=[
        CheckOutcome(Check("keys", "unique", Severity.block), True, "unique"),
        CheckOutcome(
            Check("rule_rare", "rare", Severity.warn),
            False,
            "Broken: rare.",
            {"2024-01": 5, "2024-02": True, "columns": ["a", "b"], "share": "1 of 3 rows"},
        ),
    ],
    publication=PUBLICATION,
    changed=("2024-01",),
    fingerprints={"2024-01": "2:7"},
    ledgers=PUBLICATION.ledgers,
    metadata={"rows": 2, "note": "none", "share": 0.5},
    by_partition={"2024-01": {"verdict": "none", "evidence": ["a", "b"], "max_psi": 0.25}},
    stated={"models.x": {"x": {"champion_version": "1", "is_baseline": False}}},
    plots={"roc": b"\x89PNG\x00"},
    documents={"card": "# Card"},
    preview=[{"id": 1, "name": None, "share": 0.5}],
)


@pytest.mark.parametrize("result", [RESULTS, StepResult([], None)], ids=["published", "refused"])
def test_a_result_arrives_as_it_was(result):
    arrived = from_record(json.loads(json.dumps(to_record(result))))
    assert arrived == result
    [*outcomes] = [outcome.by_partition for outcome in arrived.outcomes]
    assert [dict(found) for found in outcomes] == [dict(o.by_partition) for o in result.outcomes]
    assert all(type(found) is not float for one in outcomes for found in one.values())


def test_what_is_no_result_is_refused():
    record = dict(to_record(RESULTS))
    del record["outcomes"]
    with pytest.raises(ValueError, match="outcomes"):
        from_record(record)


def test_a_failure_arrives_as_it_was():
    failure = Failure("silver.x", "DeliveryError", "all", "what", "where", "do", "", True)
    message = json.loads(json.dumps({"kind": "step_failure", **asdict(failure)}))
    assert of_record(Failure, message) == failure


def test_where_nobody_reads_messages_results_and_answers_are_printed(capsys):
    print_message(RESULT, {"key": "silver.x", "result": to_record(RESULTS)})
    print_message(ANSWER, {"key": "x", "result": {"tables": 3}})
    result, answer = capsys.readouterr().out.splitlines()
    key, _, facts = result.partition(": ")
    assert (key, json.loads(facts)) == (
        "silver.x",
        {"rows": 2, "note": "none", "share": 0.5, "version": 7, "failed_checks": ["rule_rare"]},
    )
    assert answer == 'x: {"tables": 3}'
