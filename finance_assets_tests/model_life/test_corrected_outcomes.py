"""An outcome that a later partition of labels corrects is learned once, as it was known by then."""

from dataclasses import replace

from finance_assets.lakehouse.contract import Column
from finance_assets.ml.frames import labelled_rows
from finance_assets.ml.splits import split_as_of
from finance_assets.model_life.decision_log import read_decisions
from finance_assets.steps.derived import Table
from finance_assets.steps.table import Conservation
from finance_assets_tests.shop import (
    CUSTOMERS,
    EVENTS_CONTRACT,
    FEATURES_TABLE,
    MODEL,
    TABLES,
    Shop,
    ShopRunner,
)
from finance_assets_tests.test_time import MONTHS

CORRECTED = 100  # customers of whom it shows a month later that all of them left


class CorrectedShop(Shop):
    """A shop whose labels have a second row for some, one month after the first."""

    def _labels(self) -> Table:
        first, again = (self.calendar.frequency.sql_shift("seen", lag) for lag in (1, 2))
        labels = super()._labels()
        return replace(
            labels,
            inputs=(FEATURES_TABLE.at(-2, -1), EVENTS_CONTRACT),
            columns=(
                Column("customer_id", "bigint", "Number of the customer"),
                Column("seen", "string", "Partition of the event"),
                *labels.columns[2:],
            ),
            transform=f"""
                WITH waiting AS (SELECT customer_id, seen, {first} AS known FROM shop_features),
                events AS (SELECT customer_id, seen AS known, has_left FROM shop_events)
                SELECT customer_id, seen, known, has_left AS `left`
                FROM waiting LEFT JOIN events USING (customer_id, known)
                UNION ALL
                SELECT customer_id, seen, {again} AS known, true AS `left` FROM shop_features
                WHERE customer_id < {CORRECTED}""",
            conserves=Conservation(FEATURES_TABLE.contract, -1, f"count_if(known = {first})"),
        )


def test_a_corrected_outcome_is_one_row_and_its_newest_label_by_then_counts(settings, spark):
    shop = ShopRunner(CorrectedShop(MONTHS, 1), settings, spark)
    spec, as_of = shop.use_case.model, MONTHS.partitions()[4]
    shop.run(TABLES, MONTHS.first, MONTHS.last)
    labels = shop.rows("labels.shop_labels", lambda row: row["known"] == as_of)
    assert len(labels) == CUSTOMERS + CORRECTED

    split = split_as_of(MONTHS, spec, as_of)
    frame = labelled_rows(shop.lakehouse, spec, split).frame
    assert not frame.duplicated(list(spec.key)).any()
    assert len(frame) == CUSTOMERS * len(list(split.rows))
    first = {
        (row["customer_id"], row["seen"]): row["left"]
        for row in shop.rows("labels.shop_labels", lambda row: row["known"] <= as_of)
        if MONTHS.shift(row["seen"], 1) == row["known"]
    }
    for row in frame[["customer_id", "seen", "left"]].itertuples():
        is_corrected = row.customer_id < CORRECTED and row.seen < split.rows.last
        assert bool(row.left) == (is_corrected or first[row.customer_id, row.seen])

    shop.run(MODEL, as_of)
    [decision] = read_decisions(shop.lakehouse, spec)
    [enough] = [v for v in decision.report.verdicts if v.name == "enough_rows"]
    assert enough.is_passed, enough.observed
