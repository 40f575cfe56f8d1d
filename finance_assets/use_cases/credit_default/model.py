"""The model of credit_default: its gate, costs, protected attributes, bands and reasons.

The one place to change a bound. The tables it rests on are in tables/.
"""

from finance_assets.ml.gate import Gate
from finance_assets.ml.spec import ModelSpec, Protected, ProtectedAttribute, SearchSpace
from finance_assets.ml.tasks.binary import Band, Binary, CostMatrix, ReasonCodes, criteria
from finance_assets.monitoring.drift import DriftLimits
from finance_assets.use_cases.credit_default.tables.account_months import ACCOUNT_MONTHS
from finance_assets.use_cases.credit_default.tables.features import FEATURE_NAMES, FEATURES
from finance_assets.use_cases.credit_default.tables.labels import LABELS
from finance_assets.use_cases.credit_default.tables.statements import STATEMENTS

# A call to a customer who would have paid costs a unit; a default that nobody saw coming five.
COSTS = CostMatrix(flagged_good=1.0, missed_bad=5.0, unit="cost of one needless call")

# Rows from `medium` on are called, so it begins where a call pays.
BANDS = (Band("low", 0.0), Band("medium", COSTS.threshold), Band("high", 0.4))

_YOUNG_MEN = (
    "In July 2005 23.7 % of men under 25 came to be late, 14.7 % of all; their scores mean what "
    "they say (24.3 %). At {}. To be flagged is to be called, not to be cut off. Without limit "
    "and amounts as features the gap is smaller in July and still too large in August, at 0.009 "
    "less AUC."
)

GATE = Gate(
    (
        criteria.Discrimination(min_auc=0.75),
        # Another seed alone moves the AUC by 0.0002 (standard deviation, 30,000 accounts; 0.0008
        # on 8,000). A change of champion, with its review, is not worth less than ten of these.
        criteria.BeatsChampion(min_gain=0.002),
        # The first model has seen one month; the rate of late accounts rose from 9.9 to 11.7 % in
        # the next, which is a shift of 0.35 (0.40 at the end of its interval).
        criteria.Calibration(max_error=0.03, min_slope=0.8, max_slope=1.25, max_shift=0.5),
        criteria.BusinessCost(tolerance=0.0),
        # The second model costs 0.7 % more than the scorecard, surely between 0.6 % less and 2.0 %
        # more, and ranks surely better. Two percent is about what a holdout of one month can tell.
        criteria.BeatsBaselines(min_gain=0.0, cost_margin=0.02),
        criteria.Stability(max_psi=0.25),
        criteria.Fairness(
            min_ratio=0.8,
            max_gap=0.1,
            exceptions=(
                criteria.FairnessException(
                    "sex=male, age_band=under 25",
                    min_ratio=0.75,
                    max_gap=0.16,
                    reason=_YOUNG_MEN.format("1/6 the ratio is 0.79 and the gap -0.12"),
                ),
                criteria.FairnessException(
                    "sex=male, marital_status=single, age_band=under 25",
                    min_ratio=0.72,
                    max_gap=0.18,
                    reason=_YOUNG_MEN.format("1/6 the ratio is 0.77 and the gap -0.14"),
                ),
            ),
        ),
        # Measured on what ships: AUC at most 0.892, 0.026 above the champion; the payment status
        # alone 0.843, no other feature better; without any other the AUC falls by at most 0.005,
        # while a feature that gives a third of the outcomes away brings 0.015 or more; rows
        # repeat up to 0.06 more than usual, with a month delivered twice 0.8.
        criteria.Leakage(
            max_auc=0.95,
            max_gain_share=0.95,
            max_jump=0.05,
            max_naive=0.9,
            max_over_naive=0.02,
            max_unique=0.01,
            max_repetition=0.1,
        ),
        criteria.EnoughRows(min_rows=1000, min_positives=100),
    )
)

PROTECTED = Protected(
    source=ACCOUNT_MONTHS.contract,
    attributes=(
        ProtectedAttribute("sex", "sex"),
        ProtectedAttribute("marital_status", "marital_status"),
        ProtectedAttribute(
            "age_band",
            "CASE WHEN age_years < 25 THEN 'under 25' WHEN age_years < 35 THEN '25 to 34'"
            " WHEN age_years < 45 THEN '35 to 44' WHEN age_years < 60 THEN '45 to 59'"
            " ELSE '60 and over' END",
        ),
    ),
    min_group_rows=300,
)

_LATE = "recent payments were late"
_BALANCE = "the balance is high against the limit"
_PAYMENT = "little was paid"

REASONS = ReasonCodes(
    band="high",
    words={
        "credit_limit_ntd": "the credit limit is low",
        "pay_status": "the account is late now",
        "bill_ntd": _BALANCE,
        "payment_ntd": _PAYMENT,
        "utilisation_ratio": _BALANCE,
        "previous_pay_status": _LATE,
        "pay_status_change": "the payment status got worse",
        "worst_pay_status_3m": _LATE,
        "late_statements_3m": _LATE,
        "utilisation_ratio_3m": _BALANCE,
        "bill_change_ratio": "the balance grew",
        "payment_ratio": _PAYMENT,
    },
)

LIMITATIONS = (
    "One bank in Taiwan, April to September 2005: nothing says that it holds elsewhere or today.",
    "The outcome is being two or more months late a month later, not a legal default.",
    "The candidate as of 2005-06 learned from one month without any past: its trend features "
    "were all missing.",
    "From 2005-09 on the processor uses status code 1 otherwise; scores of such accounts rest on "
    "almost no training rows.",
    "Men under 25 are called more often than others though they would have paid: a declared "
    "exception of the gate, with its reason there. Accounts of people under 25 come close to the "
    "general bound.",
    "The score ranks and prices risk. It is no decision: flagged customers are called, not cut "
    "off.",
)


def model(name: str, owner: str) -> ModelSpec:
    """The declaration of the model."""
    return ModelSpec(
        name=name,
        owner=owner,
        purpose="Rank and price the risk that a card account is two or more months late next "
        "month.",
        features=FEATURES.contract,
        labels=LABELS.contract,
        feature_names=FEATURE_NAMES,
        target="is_default",
        label_lag=1,
        naive="pay_status",
        task=Binary(costs=COSTS, bands=BANDS, flagged_band="medium", reasons=REASONS),
        gate=GATE,
        drift=DriftLimits(),
        protected=PROTECTED,
        limitations=LIMITATIONS,
        lineage=(STATEMENTS.contract, STATEMENTS.bronze_contract),
        params={
            "learning_rate": 0.05,
            "grow_policy": "lossguide",
            "max_leaves": 15,
            "max_depth": 0,
            "min_child_weight": 10.0,
            "subsample": 0.8,
            "colsample_bytree": 0.8,
            "reg_lambda": 1.0,
        },
        rounds=150,
        search=SearchSpace(
            {
                "learning_rate": (0.02, 0.2),
                "max_leaves": (7, 31),
                "min_child_weight": (2.0, 50.0),
                "reg_lambda": (0.01, 10.0),
            },
            trials=20,
        ),
    )
