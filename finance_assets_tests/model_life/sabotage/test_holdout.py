"""Holdouts on which nobody can be judged: too small, cut, changed, or unfair."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake

from finance_assets_tests.model_life.sabotage.attacks import ACCOUNTS, FEATURES, rewritten, tables
from finance_assets_tests.scenario import APRIL, AUGUST, GOLD, JULY, JUNE, MODEL, deliver_sample

pytestmark = pytest.mark.slow


def disguised_as_compaction(path, rows, column, partition):
    """Commit other rows of a partition as if their files had only been merged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = DeltaTable(path)
    actions = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    file, values = f"{column}={partition}/merged.parquet", {column: partition}
    content = pa.Table.from_pandas(rows.drop(columns=column), preserve_index=False)
    pq.write_table(content, Path(path, file))
    common = {"partitionValues": values, "dataChange": False}
    log = [{"commitInfo": {"operation": "OPTIMIZE", "timestamp": 0}}]
    log += [
        {"remove": {"path": action["path"], "deletionTimestamp": 0, **common}}
        for action in actions
        if action[f"partition.{column}"] == partition
    ]
    size, stats = Path(path, file).stat().st_size, json.dumps({"numRecords": len(rows)})
    added = {"path": file, "size": size, "modificationTime": 0, "stats": stats, **common}
    text = "\n".join(json.dumps(action) for action in [*log, {"add": added}])
    Path(path, "_delta_log", f"{table.version() + 1:020d}.json").write_text(text + "\n")


def test_other_rows_disguised_as_a_compaction_are_noticed(home, judge):
    [path] = tables(home, FEATURES)
    before = DeltaTable(path)
    version, rows = before.version(), before.to_pandas()
    july = rows[rows["statement_month"] == JULY].assign(bill_ntd=lambda f: f["bill_ntd"] * 1.01)
    try:
        disguised_as_compaction(path, july, "statement_month", JULY)
        outcome, failed = judge()
    finally:
        DeltaTable(path).restore(version)
        assert home.run(FEATURES, APRIL, AUGUST).changed == ()
    assert (outcome, "data_checks" in failed) == ("turned_down", True)


def test_repeated_rows_in_the_holdout_are_noticed(home, judge):
    import pandas as pd

    def twice(rows):
        return pd.concat([rows, rows[rows["statement_month"] == JULY].head(50)])

    with rewritten(home, FEATURES, twice):
        outcome, failed = judge()
    assert (outcome, failed) == ("turned_down", ["enough_rows", "data_checks"])


def test_a_holdout_of_one_class_cannot_be_judged(home, judge):
    def nobody(rows):
        is_july = rows["statement_month"] == JULY
        return rows.assign(is_default=rows["is_default"].where(~is_july, False).astype(bool))

    known = MODEL.labels.table
    with rewritten(home, known, lambda rows: nobody(rows.dropna(subset=["is_default"]))):
        outcome, failed = judge()
    assert outcome == "turned_down"
    assert {"discrimination", "beats_champion", "calibration"} <= set(failed)


def test_too_small_a_holdout_is_turned_down(home, judge):
    def few(rows):
        small = (rows["statement_month"] != JULY) | (rows["account_id"] <= 900)
        return rows[small]

    with rewritten(home, FEATURES, few):
        outcome, failed = judge()
    assert (outcome, "enough_rows" in failed) == ("turned_down", True)


def test_a_holdout_of_which_few_outcomes_were_delivered_is_turned_down(home, judge):
    def deliver(accounts):
        deliver_sample(home.settings.landing, accounts, [AUGUST])
        home.run_tables(AUGUST)

    deliver(ACCOUNTS // 5)
    try:
        outcome, failed = judge()
    finally:
        deliver(ACCOUNTS)
    assert (outcome, "known_outcomes" in failed, "data_checks" in failed) == (
        *("turned_down", True, False),
    )


def test_an_empty_holdout_is_turned_down(home, judge):
    with rewritten(home, FEATURES, lambda rows: rows[rows["statement_month"] != JULY]):
        outcome, failed = judge()
    assert outcome == "turned_down"
    assert {"discrimination", "beats_champion", "calibration", "fairness"} <= set(failed)


def test_scores_that_jump_from_month_to_month_are_turned_down(home, judge):
    def shifted(rows):
        june = rows["statement_month"] == JUNE
        moved = rows["pay_status"].where(~june, rows["pay_status"] + 3)
        return rows.assign(pay_status=moved)

    with rewritten(home, FEATURES, shifted):
        outcome, failed = judge()
    assert (outcome, "stability" in failed) == ("turned_down", True)


def test_a_candidate_that_treats_groups_differently_is_turned_down(home, judge):
    def unfair(rows):
        sexes = np.where(rows["pay_status"] >= 1, "male", "female")
        return rows.assign(sex=sexes)

    with rewritten(home, GOLD, unfair):
        outcome, failed = judge()
    assert (outcome, failed) == ("turned_down", ["fairness", "data_checks"])


def test_groups_that_nobody_knows_cannot_be_judged_as_fair(home, judge):
    with rewritten(home, GOLD, lambda rows: rows[rows["account_id"] > 10]):
        outcome, failed = judge()
    assert (outcome, failed) == ("turned_down", ["fairness", "data_checks"])


def test_an_input_window_with_a_failed_check_is_turned_down(home, judge):
    [path] = tables(home, FEATURES)
    known = home.lakehouse.history(FEATURES).publication_of(JULY)

    def republished(failed):
        publication = replace(known, first=JULY, last=JULY, failed_checks=failed)
        write_deltalake(
            path,
            DeltaTable(path).to_pandas().head(0),
            mode="append",
            commit_properties=CommitProperties(
                custom_metadata={"userMetadata": publication.to_json()}
            ),
        )

    republished({JULY: ["rule_too_odd"]})
    try:
        assert judge() == ("turned_down", ["data_checks"])
    finally:
        republished({})
