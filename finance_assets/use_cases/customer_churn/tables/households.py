"""Households: what the register of loyalty cards knows of them. Of two in three it knows nothing.

The register sends its whole list each month, and may send the same one again. So a month's rows
are what was known in that month, and the list is a delivery like any other.

It may say what its list says only as an afterthought. The list has no date, and knows who stayed:
of its households that bought in the first quarter none had left by October, of as frequent others
3 to 15 %. So it is good for comparing groups, and no feature comes of it.
"""

from finance_assets.lakehouse.contract import RowRule
from finance_assets.lakehouse.sources.source import Source
from finance_assets.steps.entity import Bronze, Delivered, Entity

AGES = ("19-24", "25-34", "35-44", "45-54", "55-64", "65+")
INCOMES = (
    *("Under 15K", "15-24K", "25-34K", "35-49K", "50-74K", "75-99K"),
    *("100-124K", "125-149K", "150-174K", "175-199K", "200-249K", "250K+"),
)


def _among(name: str, values: tuple[str, ...]) -> RowRule:
    listed = ", ".join(f"'{value}'" for value in values)
    return RowRule(f"{name}_known", f"{name} IN ({listed})", "The register documents its values.")


def _about(name: str, description: str, is_nullable: bool = False) -> Delivered:
    return Delivered(name, "string", description, is_nullable=is_nullable, is_pii=True)


HOUSEHOLDS = Entity(
    "silver.households",
    "One row per household that the register knows in a month.",
    source=Source("the card register", "households_{partition}.csv.gz", may_repeat=True),
    columns=(
        Delivered("household_id", "bigint", "Number of the household's card", is_pii=True),
        _about("age", "Years of the household's head, in bands"),
        _about("income", "Yearly income in $, in bands"),
        _about("home_ownership", "Homeowner, Renter, or probably so", is_nullable=True),
        _about("marital_status", "Married, Unmarried", is_nullable=True),
        _about("household_size", "1, 2, 3, 4, 5+"),
        _about("household_comp", "Adults and children"),
        _about("kids_count", "0, 1, 2, 3+"),
    ),
    key=("household_id", "month"),
    partition_column="month",
    rules=(
        RowRule("household_id_positive", "household_id > 0", "Card numbers start at 1."),
        _among("age", AGES),
        _among("income", INCOMES),
        RowRule(
            "marital_status_known",
            "marital_status IS NULL OR marital_status IN ('Married', 'Unmarried')",
            "The register documents its values.",
        ),
    ),
    max_quarantine_share=0.02,
    bronze=Bronze(
        "bronze.household_deliveries",
        "Every row of the register's list as it came, as text, with where it came from.",
        "month",
        "Month that the list is of (YYYY-MM)",
    ),
)
