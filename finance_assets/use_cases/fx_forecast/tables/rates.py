"""Rates: what the European Central Bank publishes, as it came and typed."""

from finance_assets.calendar import Frequency
from finance_assets.lakehouse.contract import RowRule, Severity, TableRule
from finance_assets.lakehouse.sources.source import Source
from finance_assets.steps.entity import Bronze, Delivered, Entity

# The two that make USD/BRL, and those that move with it: two currencies of emerging markets, two
# of countries that sell what they dig, and one that is bought when these are sold.
NEEDED = {"usd": "US dollar", "brl": "Brazilian real"}
PEERS = {
    "mxn": "Mexican peso",
    "zar": "South African rand",
    "aud": "Australian dollar",
    "cad": "Canadian dollar",
    "jpy": "Japanese yen",
}
# Every currency of the file, in its order; those that ceased to be quoted stay, as N/A.
DELIVERED = (
    *("usd", "jpy", "bgn", "cyp", "czk", "dkk", "eek", "gbp", "huf", "ltl", "lvl", "mtl", "pln"),
    *("rol", "ron", "sek", "sit", "skk", "chf", "isk", "nok", "hrk", "rub", "trl", "try", "aud"),
    *("brl", "cad", "cny", "hkd", "idr", "ils", "inr", "krw", "mxn", "myr", "nzd", "php", "sgd"),
    *("thb", "zar"),
)


def _rate(code: str) -> Delivered:
    name = (NEEDED | PEERS).get(code)
    return Delivered(
        f"{code}_per_eur",
        "double",
        f"{name or code.upper()}, reference rate",
        at_source=code.upper(),
        is_nullable=code not in NEEDED,
        unit=f"{code.upper()} per EUR",
        is_bronze_only=name is None,
    )


def _positive(code: str, condition: str) -> RowRule:
    return RowRule(f"{code}_positive", condition, f"A rate of {code.upper()} is positive.")


RATES = Entity(
    "silver.fx_rates",
    "One row per day on which the bank published, with both rates that make USD/BRL.",
    source=Source(
        "the European Central Bank", "ecb_rates_{partition}.csv.gz", null_tokens=("N/A",)
    ),
    columns=(
        Delivered("rate_day", "date", "Day of the rates; none at weekends", at_source="Date"),
        *(_rate(code) for code in DELIVERED),
    ),
    key=("rate_day",),
    partition_column="rate_month",
    rules=(
        RowRule(
            "day_in_month",
            f"{Frequency.monthly.sql_named('rate_day')} = rate_month",
            "A delivery holds the days of its month.",
        ),
        RowRule(
            "day_is_business",
            "weekday(rate_day) >= 0 AND weekday(rate_day) <= 4",
            "The bank does not publish at weekends.",
        ),
        *(_positive(code, f"{code}_per_eur > 0") for code in NEEDED),
        *(_positive(code, f"{code}_per_eur IS NULL OR {code}_per_eur > 0") for code in PEERS),
        RowRule(
            "usd_brl_plausible",
            "brl_per_eur / usd_per_eur >= 0.5 AND brl_per_eur / usd_per_eur <= 50",
            "A dollar costs some reais: another size is a slipped decimal point.",
        ),
        TableRule(
            "peers_known",
            f"avg(CASE WHEN {' OR '.join(f'{c}_per_eur IS NULL' for c in PEERS)}"
            " THEN 1.0D ELSE 0.0D END) <= 0.05",
            "The other currencies are quoted on nearly every day.",
            Severity.warn,
        ),
    ),
    # Two days of a month without a rate are a gap; more are another delivery.
    max_quarantine_share=0.1,
    bronze=Bronze(
        "bronze.fx_rate_deliveries",
        "Every delivered day as it came, as text, with where it came from.",
        "delivery_month",
        "Month that the delivery is for (YYYY-MM)",
    ),
)
