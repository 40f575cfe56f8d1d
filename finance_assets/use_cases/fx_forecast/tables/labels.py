"""Labels: what a dollar cost when a horizon had passed."""

from finance_assets.calendar import Frequency
from finance_assets.lakehouse.contract import Column
from finance_assets.steps.derived import Table
from finance_assets.use_cases.fx_forecast.tables.days import FX_DAYS
from finance_assets.use_cases.fx_forecast.tables.features import FEATURES

_SELECT = f"""
WITH numbered AS (
  SELECT rate_day, usd_brl, row_number() OVER (ORDER BY rate_day) AS place FROM fx_days
),
waiting AS (
  SELECT rate_day, horizon_days, rate_month, place + horizon_days AS place,
    {Frequency.monthly.sql_shift("rate_month", 1)} AS known_month
  FROM fx_forecast_features
  JOIN (SELECT rate_day, place FROM numbered) USING (rate_day)
),
outcomes AS (
  SELECT place, rate_day AS outcome_day, usd_brl AS usd_brl_then FROM numbered
)
SELECT rate_day, horizon_days, rate_month, known_month, outcome_day, usd_brl_then
FROM waiting
LEFT JOIN outcomes USING (place)
"""

LABELS = Table(
    "labels.fx_forecast_labels",
    "Outcome of each day and horizon. Five days after the last of a month lie in the next, so "
    "labels are partitioned by the month after that of the forecast.",
    inputs=(FEATURES.at(-1), FX_DAYS.at(-1, 0)),
    columns=(
        *("rate_day", "horizon_days", "rate_month"),
        Column("known_month", "string", "Month in which all outcomes are known (YYYY-MM)"),
        Column("outcome_day", "date", "Day that was forecast; null until then", is_nullable=True),
        Column(
            "usd_brl_then",
            "double",
            "What a dollar cost on it; null until then",
            is_nullable=True,
            unit="BRL per USD",
        ),
    ),
    transform=_SELECT,
    partition_column="known_month",
)
