"""The tables of the newspaper: what is delivered of a day, what a model may see, what came of it."""

from finance_assets.calendar import Calendar, Frequency
from finance_assets.lakehouse.contract import Column, RowRule
from finance_assets.lakehouse.sources.source import Source
from finance_assets.steps.derived import Table, passed
from finance_assets.steps.entity import Delivered, Entity

CALENDAR = Calendar(Frequency.daily, "2024-01-01", "2024-01-08")

READERS = Entity(
    "silver.news_readers",
    "The readers of a day, and who of the day before has cancelled.",
    source=Source("the subscription desk", "readers_{partition}.csv"),
    columns=(
        Delivered("reader", "bigint", "Number of the reader", is_pii=True),
        Delivered("region", "string", "north or south", is_pii=True),
        Delivered("minutes", "double", "Minutes read, standardised"),
        Delivered("logins", "double", "Logins, standardised"),
        Delivered("tariff", "int", "Number of the tariff"),
        Delivered("has_cancelled", "boolean", "Whether the reader cancelled since the day before"),
    ),
    key=("reader", "delivered_for"),
    rules=(RowRule("region_known", "region IN ('north', 'south')", "There are two regions."),),
    max_quarantine_share=0.05,
)
FEATURE_NAMES = ("minutes", "logins", "tariff")
FEATURES = Table(
    "features.news_features",
    "What a model may see of a reader at the end of a day.",
    inputs=(READERS,),
    columns=("reader", "delivered_for", *passed(FEATURE_NAMES, "double")),
    min_rows=1,
)
LABELS = Table(
    "labels.news_labels",
    "Whether the reader cancelled on the day after.",
    inputs=(FEATURES.at(-1), READERS),
    columns=(
        *("reader", "delivered_for"),
        Column("known_on", "string", "Day on which it became known"),
        Column("cancels", "boolean", "Cancelled; null if nobody said", is_nullable=True),
    ),
    transform=f"""
        WITH waiting AS (
          SELECT reader, delivered_for,
            {Frequency.daily.sql_shift("delivered_for", 1)} AS known_on
          FROM news_features
        ),
        outcomes AS (
          SELECT reader, delivered_for AS known_on, has_cancelled AS cancels FROM news_readers
        )
        SELECT reader, delivered_for, known_on, cancels
        FROM waiting LEFT JOIN outcomes USING (reader, known_on)""",
    partition_column="known_on",
)
