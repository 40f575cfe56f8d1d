"""Days: USD/BRL of each day, and how it and other currencies moved since the day before.

A move is the logarithm of a ratio, in whole parts per billion: sums of whole numbers are the same
on every engine and in every order, sums of fractions are not.
"""

from finance_assets.calendar import sql_days
from finance_assets.lakehouse.contract import Column, RowRule
from finance_assets.steps.derived import Table
from finance_assets.use_cases.fx_forecast.tables.rates import PEERS, RATES

# Against the dollar, as USD/BRL is: the real, the others, and the euro itself.
MOVES = ("brl", *PEERS, "eur")


def _in_dollars(code: str) -> str:
    """What a dollar costs."""
    return "1.0D / usd_per_eur" if code == "eur" else f"{code}_per_eur / usd_per_eur"


def _move(code: str) -> str:
    before = f"{code}_before"
    return f"cast(round(1e9D * ln({code} / {before})) AS bigint) AS {code}_move_ppb"


_SELECT = f"""
WITH numbered AS (
  SELECT rate_day, rate_month, row_number() OVER (ORDER BY rate_day) AS place,
    {", ".join(f"{_in_dollars(code)} AS {code}" for code in MOVES)}
  FROM fx_rates
),
before AS (
  SELECT place + 1 AS place, rate_day AS day_before,
    {", ".join(f"{code} AS {code}_before" for code in MOVES)}
  FROM numbered
)
SELECT rate_day, rate_month, brl AS usd_brl,
  cast({sql_days("day_before", "rate_day")} AS int) AS days_since_last,
  {", ".join(_move(code) for code in MOVES)}
FROM numbered
LEFT JOIN before USING (place)
"""


def _moved(code: str) -> Column:
    what = f"Move of USD/{code.upper()} since the day before"
    return Column(f"{code}_move_ppb", "bigint", what, is_nullable=True, unit="1e-9 of its log")


FX_DAYS = Table(
    "gold.fx_days",
    "One row per day with rates: what a dollar costs in reais, and how currencies moved "
    "against the dollar since the day before.",
    # The day before lies in the same month or in the one before.
    inputs=(RATES.at(-1, 0),),
    columns=(
        *("rate_day", "rate_month"),
        Column("usd_brl", "double", "What a dollar costs, through the euro", unit="BRL per USD"),
        Column(
            "days_since_last",
            "int",
            "Days since the day before that has rates: 1, over a weekend 3",
            is_nullable=True,
            unit="days",
        ),
        *(_moved(code) for code in MOVES),
    ),
    transform=_SELECT,
    rules=(
        RowRule(
            "move_plausible",
            "brl_move_ppb IS NULL OR abs(brl_move_ppb) < 300000000",
            "USD/BRL does not move by a third in a day.",
        ),
    ),
    min_rows=1,
)
