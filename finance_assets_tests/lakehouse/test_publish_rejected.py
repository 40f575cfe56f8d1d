"""Rows and rejected rows are two tables: those in force are of the same run."""

from dataclasses import replace

import pytest
from deltalake import DeltaTable

from finance_assets.errors import PublishConflictError
from finance_assets.lakehouse import publish as publishing
from finance_assets.lakehouse.contract import Column
from finance_assets.lakehouse.history import Ledger
from finance_assets.lakehouse.publish import publish
from finance_assets_tests.lakehouse.things import GOOD, ORIGIN, THINGS, propose, stored
from finance_assets_tests.scenario import APRIL, CALENDAR, MAY

REJECTED = replace(
    THINGS,
    table="silver.things_quarantine",
    columns=(*THINGS.columns[:2], Column("_reasons", "string", "Why")),
    row_rules=(),
    table_rules=(),
    min_rows=0,
)
KEEPING = replace(THINGS, has_quarantine=True, max_quarantine_share=1.0)


def judged(lakehouse, good, bad):
    """A proposal with some rejected things beside the good ones."""
    rows = [(number, APRIL, "odd") for number in bad]
    frame = lakehouse.spark.createDataFrame(rows, "id bigint, month string, _reasons string")
    ledger = Ledger(len(good) + len(bad), len(good), len(bad))
    proposal = propose(lakehouse, [(n, APRIL, 1.0) for n in good], None, KEEPING, {APRIL: ledger})
    return replace(proposal, quarantine=(REJECTED, frame))


def in_force(lakehouse):
    """The things and the rejected ones that are stored."""
    return tuple(
        {row["id"] for row in lakehouse.history(contract.table).rows()}
        for contract in (KEEPING, REJECTED)
    )


def test_another_accounting_of_the_same_rows_is_committed(lakehouse):
    for ledger in (Ledger(2, 2), Ledger(3, 2, 1)):
        publish(lakehouse, propose(lakehouse, GOOD, None, KEEPING, {APRIL: ledger}), ORIGIN)
        assert lakehouse.history(KEEPING.table).ledger_of(APRIL) == ledger
    assert stored(lakehouse) == sorted(GOOD)


@pytest.mark.parametrize("ours_is_last", [True, False])
def test_of_two_runs_at_once_the_rejected_rows_are_those_of_the_rows_in_force(
    lakehouse, monkeypatch, ours_is_last
):
    commit, begun = publishing._commit_changes, []

    def interrupted(lakehouse, proposal, *rest):
        """Another run of the partition goes all the way beside our table's commit."""
        if proposal.contract != KEEPING or begun:
            return commit(lakehouse, proposal, *rest)
        begun.append(True)
        done = None if ours_is_last else commit(lakehouse, proposal, *rest)
        publish(lakehouse, judged(lakehouse, [3, 4], [5]), ORIGIN)
        return commit(lakehouse, proposal, *rest) if ours_is_last else done

    monkeypatch.setattr(publishing, "_commit_changes", interrupted)
    publish(lakehouse, judged(lakehouse, [1], [8, 9]), ORIGIN)
    assert in_force(lakehouse) == (({1}, {8, 9}) if ours_is_last else ({3, 4}, {5}))


def test_a_run_that_is_overtaken_while_it_mends_its_rejected_rows_is_refused(
    lakehouse, monkeypatch
):
    commit, calls, late = publishing._commit_changes, [], []

    def interrupted(*of):
        """Another run writes its rejected rows before our rows, and its rows after them."""
        calls.append(of)
        if len(calls) == 2:
            publish(lakehouse, judged(lakehouse, [3, 4], [5]), ORIGIN)
        elif len(calls) == 4:
            return late.append(of)
        elif len(calls) == 5:
            commit(*late.pop())
        return commit(*of)

    monkeypatch.setattr(publishing, "_commit_changes", interrupted)
    with pytest.raises(PublishConflictError, match="while this one wrote those that it rejected"):
        publish(lakehouse, judged(lakehouse, [1], [8, 9]), ORIGIN)
    monkeypatch.undo()
    publish(lakehouse, judged(lakehouse, [1], [8, 9]), ORIGIN)
    assert in_force(lakehouse) == ({1}, {8, 9})


def test_of_a_range_only_the_partitions_that_others_did_not_replace_get_its_rejected_rows(
    lakehouse, monkeypatch
):
    commit, calls = publishing._commit_changes, []

    def rejecting(good, bad, *months):
        """A proposal with a good row, and a rejected one, of each month."""
        proposal = propose(
            lakehouse,
            [(good, m, 1.0) for m in months],
            CALENDAR.window(months[0], months[-1]),
            KEEPING,
        )
        rows = [(bad, m, "odd") for m in months]
        rows = lakehouse.spark.createDataFrame(rows, "id bigint, month string, _reasons string")
        return replace(
            proposal, ledgers={m: Ledger(2, 1, 1) for m in months}, quarantine=(REJECTED, rows)
        )

    def interrupted(*of):
        """Of April another run writes its rejected rows only before our rows, of May all after."""
        calls.append(of)
        if len(calls) == 1:
            return commit(*of)
        if len(calls) == 2:
            monkeypatch.setattr(publishing, "_commit_changes", stopped)
            with pytest.raises(KeyboardInterrupt):
                publish(lakehouse, rejecting(3, 4, APRIL), ORIGIN)
            monkeypatch.setattr(publishing, "_commit_changes", commit)
            done = commit(*of)
            publish(lakehouse, rejecting(5, 6, MAY), ORIGIN)
            return done
        raise AssertionError("no further commit goes this way")

    def stopped(lakehouse, proposal, *rest):
        if proposal.contract == KEEPING:
            raise KeyboardInterrupt
        return commit(lakehouse, proposal, *rest)

    monkeypatch.setattr(publishing, "_commit_changes", interrupted)
    publish(lakehouse, rejecting(1, 2, APRIL, MAY), ORIGIN)
    of = {
        contract.table: {(r["id"], r["month"]) for r in lakehouse.history(contract.table).rows()}
        for contract in (KEEPING, REJECTED)
    }
    assert of[KEEPING.table] == {(1, APRIL), (5, MAY)}
    assert of[REJECTED.table] == {(2, APRIL), (6, MAY)}


@pytest.mark.parametrize("bad", [[8, 9], [9]])
def test_who_comes_later_with_the_same_rows_keeps_the_rows_that_it_rejected(
    lakehouse, monkeypatch, bad
):
    commit, begun = publishing._commit_changes, []

    def interrupted(lakehouse, proposal, *rest):
        """Another delivery with the same good rows is published right after ours."""
        done = commit(lakehouse, proposal, *rest)
        if proposal.contract == KEEPING and not begun:
            begun.append(True)
            other = replace(ORIGIN, run_id="run-2", made_from={APRIL: "another delivery"})
            publish(lakehouse, judged(lakehouse, [1], bad), other)
        return done

    monkeypatch.setattr(publishing, "_commit_changes", interrupted)
    ours = replace(ORIGIN, made_from={APRIL: "a delivery"})
    publish(lakehouse, judged(lakehouse, [1], [8]), ours)
    assert in_force(lakehouse) == ({1}, set(bad))


def test_a_run_that_comes_between_two_looks_keeps_what_it_wrote(lakehouse, monkeypatch):
    look, looks = publishing.overtaken, []

    def interrupted(*of):
        found = look(*of)
        looks.append(found)
        if len(looks) == 1:
            publish(lakehouse, judged(lakehouse, [3, 4], [5]), ORIGIN)
        return found

    monkeypatch.setattr(publishing, "overtaken", interrupted)
    publish(lakehouse, judged(lakehouse, [1], [8, 9]), ORIGIN)
    assert in_force(lakehouse) == ({3, 4}, {5})


def test_a_confirmation_that_meets_another_runs_rows_brings_its_own(lakehouse, monkeypatch):
    first = replace(ORIGIN, made_from={APRIL: "a"})
    publish(lakehouse, judged(lakehouse, [1], [8]), first)
    confirm = publishing.confirm

    def late(lakehouse, stored, proposal, confirmation):
        """Another run publishes other rows before the word of ours comes."""
        if proposal.contract == KEEPING:
            monkeypatch.setattr(publishing, "confirm", confirm)
            other = replace(ORIGIN, run_id="run-2", made_from={APRIL: "b"})
            publish(lakehouse, judged(lakehouse, [3, 4], [5]), other)
        confirm(lakehouse, stored, proposal, confirmation)

    monkeypatch.setattr(publishing, "confirm", late)
    again = replace(ORIGIN, run_id="run-3", made_from={APRIL: "a, once more"})
    publish(lakehouse, judged(lakehouse, [1], [8]), again)
    history = lakehouse.history(KEEPING.table)
    assert in_force(lakehouse) == ({1}, {8})
    assert history.in_force(APRIL).made_from == {APRIL: "a, once more"}
    assert history.ledger_of(APRIL) == Ledger(2, 1, 1)


@pytest.mark.parametrize("run_id", ["run-2", "run-3"])
def test_a_run_that_comes_after_a_confirmation_keeps_its_rows(lakehouse, monkeypatch, run_id):
    """Also if it is another attempt of the same run."""
    first = replace(ORIGIN, made_from={APRIL: "a"})
    publish(lakehouse, judged(lakehouse, [1], [8]), first)
    confirm = publishing.confirm

    def followed(lakehouse, stored, proposal, confirmation):
        """Another run publishes other rows before ours looks at what it confirmed."""
        confirm(lakehouse, stored, proposal, confirmation)
        if proposal.contract == KEEPING:
            monkeypatch.setattr(publishing, "confirm", confirm)
            other = replace(ORIGIN, run_id=run_id, made_from={APRIL: "b"})
            publish(lakehouse, judged(lakehouse, [3, 4], [5]), other)

    monkeypatch.setattr(publishing, "confirm", followed)
    again = replace(ORIGIN, run_id="run-3", made_from={APRIL: "a, once more"})
    publish(lakehouse, judged(lakehouse, [1], [8]), again)
    assert in_force(lakehouse) == ({3, 4}, {5})
    assert lakehouse.history(KEEPING.table).in_force(APRIL).made_from == {APRIL: "b"}


def test_rows_that_another_writer_changes_before_a_confirmation_are_brought_again(
    lakehouse, monkeypatch
):
    first = replace(ORIGIN, made_from={APRIL: "a"})
    publish(lakehouse, judged(lakehouse, [1], [8]), first)
    confirm = publishing.confirm

    def late(lakehouse, stored, proposal, confirmation):
        if proposal.contract == KEEPING:
            DeltaTable(str(lakehouse.path(KEEPING.table))).update({"value": "9.0"})
        confirm(lakehouse, stored, proposal, confirmation)

    monkeypatch.setattr(publishing, "confirm", late)
    again = replace(ORIGIN, run_id="run-2", made_from={APRIL: "a, once more"})
    result = publish(lakehouse, judged(lakehouse, [1], [8]), again)
    history = lakehouse.history(KEEPING.table)
    assert [row["value"] for row in history.rows()] == [1.0]
    assert (result.changed, history.altered_at(APRIL)) == ((APRIL,), None)
    version = history.version
    publish(lakehouse, judged(lakehouse, [1], [8]), again)
    assert lakehouse.history(KEEPING.table).version == version


@pytest.mark.parametrize("is_aggregate", [False, True])
def test_a_range_without_any_row_is_on_record_once(lakehouse, is_aggregate):
    contract = replace(KEEPING, min_rows=0, table_rules=())
    ledger = Ledger(2, 0, 2, is_aggregate=is_aggregate)
    window = CALENDAR.window(APRIL, MAY)
    rows = [(n, m, "odd") for n in (5, 6) for m in (APRIL, MAY)]
    bad = lakehouse.spark.createDataFrame(rows, "id bigint, month string, _reasons string")
    proposal = propose(lakehouse, [], window, contract, {m: ledger for m in (APRIL, MAY)})
    proposal = replace(proposal, quarantine=(REJECTED, bad))
    results = [publish(lakehouse, proposal, ORIGIN) for _ in range(2)]
    assert [result.changed for result in results] == [(APRIL, MAY), ()]
    assert lakehouse.history(KEEPING.table).ledgers() == {APRIL: ledger, MAY: ledger}
    assert in_force(lakehouse) == (set(), {5, 6})
