"""Features: what is known of USD/BRL on the evening of a day, for each horizon."""

from finance_assets.lakehouse.contract import Column, RowRule
from finance_assets.steps.derived import Table
from finance_assets.use_cases.fx_forecast.tables.days import FX_DAYS, MOVES

# Days on which the bank publishes.
HORIZONS = (1, 5)
# Mean absolute move of a day until a few are known, in parts per billion: 0.7 %, about that of
# any currency of an emerging market.
USUAL_PPB, KNOWN_MOVES = 7_000_000, 5

FEATURE_NAMES = (
    *("usd_brl", "usual_move", "days_ahead"),
    *("daily_move_pct", "calm_ratio", "days_since_last"),
    *("move_1d", "move_5d", "move_20d", "move_60d", "from_mean_60d"),
    *(f"{code}_move_1d" for code in MOVES if code != "brl"),
)


def _sum(expression: str, days: int) -> str:
    return f"sum(CASE WHEN ago < {days} THEN {expression} END)"


def _mean_abs(days: int) -> str:
    known = f"count(CASE WHEN ago < {days} THEN moved END)"
    mean = f"cast({_sum('abs(moved)', days)} AS double) / {known}"
    return f"CASE WHEN {known} >= {KNOWN_MOVES} THEN {mean} END"


_SELECT = f"""
WITH numbered AS (
  SELECT *, row_number() OVER (ORDER BY rate_day) AS place FROM fx_days
),
agos AS (
  SELECT explode(sequence(0, 59)) AS ago
),
past AS (
  SELECT place + ago AS place, ago, brl_move_ppb AS moved FROM numbered CROSS JOIN agos
),
summed AS (
  SELECT place,
    coalesce({_mean_abs(20)}, {USUAL_PPB}D) AS daily_move,
    {_mean_abs(5)} AS daily_move_5d,
    {_mean_abs(60)} AS daily_move_60d,
    cast({_sum("moved", 1)} AS double) AS moved_1d,
    cast({_sum("moved", 5)} AS double) AS moved_5d,
    cast({_sum("moved", 20)} AS double) AS moved_20d,
    cast({_sum("moved", 60)} AS double) AS moved_60d,
    cast({_sum("moved * (59 - ago)", 60)} AS double) / 60 AS from_mean
  FROM past
  GROUP BY place
),
horizons AS (
  SELECT explode(array({", ".join(map(str, HORIZONS))})) AS horizon_days
)
SELECT rate_day, horizon_days, rate_month, usd_brl,
  cast(horizon_days AS double) AS days_ahead,
  usd_brl * daily_move * sqrt(cast(horizon_days AS double)) / 1e9D AS usual_move,
  daily_move / 1e7D AS daily_move_pct,
  daily_move_5d / daily_move_60d AS calm_ratio,
  cast(days_since_last AS double) AS days_since_last,
  moved_1d / daily_move AS move_1d,
  moved_5d / daily_move AS move_5d,
  moved_20d / daily_move AS move_20d,
  moved_60d / daily_move AS move_60d,
  from_mean / daily_move AS from_mean_60d,
  {", ".join(f"cast({c}_move_ppb AS double) / daily_move AS {c}_move_1d" for c in MOVES[1:])}
FROM numbered
JOIN summed USING (place)
CROSS JOIN horizons
"""


def _in_usual(name: str, what: str) -> Column:
    return Column(name, "double", what, is_nullable=True, unit="usual daily moves of USD/BRL")


FEATURES = Table(
    "features.fx_forecast_features",
    "What is known on the evening of a day, a row for each horizon. Nothing but the rate itself "
    "has its level: a tree cannot foresee what it never saw.",
    # Sixty days with rates lie in four months and the present one.
    inputs=(FX_DAYS.at(-4, 0),),
    columns=(
        "rate_day",
        Column("horizon_days", "int", "Days with rates until the one that is forecast"),
        *("rate_month", "usd_brl"),
        # What identifies a row is no feature, so the horizon is there twice.
        Column("days_ahead", "double", "horizon_days, for the model to see", unit="days"),
        Column(
            "usual_move",
            "double",
            "What USD/BRL usually moves in so many days: its mean absolute daily move over 20 "
            "days, times the root of the horizon",
            unit="BRL per USD",
        ),
        Column("daily_move_pct", "double", "Mean absolute daily move over 20 days", unit="%"),
        Column(
            "calm_ratio",
            "double",
            "Mean absolute daily move over 5 days / over 60 days",
            is_nullable=True,
        ),
        Column(
            "days_since_last",
            "double",
            "Days since the day before that has rates",
            is_nullable=True,
            unit="days",
        ),
        *(_in_usual(f"move_{n}d", f"Move of USD/BRL in {n} days") for n in (1, 5, 20, 60)),
        _in_usual("from_mean_60d", "Distance of the logarithm from its mean over 60 days"),
        *(_in_usual(f"{c}_move_1d", f"Move of USD/{c.upper()} in a day") for c in MOVES[1:]),
    ),
    transform=_SELECT,
    key=("rate_day", "horizon_days", "rate_month"),
    rules=(RowRule("usual_move_positive", "usual_move > 0", "Twenty days never stand still."),),
    counted_by=f"count(CASE WHEN horizon_days = {HORIZONS[0]} THEN 1 END)",
    min_rows=1,
)
