"""The model of late_delivery: its gate, costs, bands and reasons.

The one place to change a bound. The tables it rests on are in tables/.
"""

from finance_assets.ml.gate import Gate
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.tasks.binary import Band, Binary, CostMatrix, ReasonCodes, criteria
from finance_assets.monitoring.drift import DriftLimits
from finance_assets.use_cases.late_delivery.tables.airports import AIRPORTS
from finance_assets.use_cases.late_delivery.tables.features import FEATURE_NAMES, FEATURES
from finance_assets.use_cases.late_delivery.tables.flights import FLIGHTS
from finance_assets.use_cases.late_delivery.tables.labels import LABELS
from finance_assets.use_cases.late_delivery.tables.planes import PLANES
from finance_assets.use_cases.late_delivery.tables.punctuality import PUNCTUALITY
from finance_assets.use_cases.late_delivery.tables.weather import WEATHER

# A receiver who is warned of a flight that comes in time has waited for nothing; one who was not
# warned pays three times that for a truck and a shift that wait.
COSTS = CostMatrix(flagged_good=1.0, missed_bad=3.0, unit="cost of one needless warning")

# Rows from `medium` on are warned of, so it begins where a warning pays.
BANDS = (Band("low", 0.0), Band("medium", COSTS.threshold), Band("high", 0.5))

GATE = Gate(
    (
        # By month 0.67 to 0.75: storms tell flights apart, calm days do not.
        criteria.Discrimination(min_auc=0.65),
        # A change of champion, with its review, is not worth less than in other use cases.
        criteria.BeatsChampion(min_gain=0.002),
        # A month is one piece of weather, so it is late as a whole: in April the log-odds were 0.39
        # above the three months before (0.42 at the end of the interval; error 0.066), in other
        # months 0.07. The storms of July also told flights apart more than those of spring: a slope
        # of 1.24 (1.28) is too timid, and still 9 % cheaper than the champion was.
        criteria.Calibration(max_error=0.08, min_slope=0.8, max_slope=1.35, max_shift=0.5),
        criteria.BusinessCost(tolerance=0.0),
        criteria.BeatsBaselines(min_gain=0.0, cost_margin=0.02),
        # Measured: up to 0.09.
        criteria.Stability(max_psi=0.25),
        criteria.Fairness(
            why_none="Rows are flights. Nothing in them says who is on board or whose freight it "
            "is, and to be warned is no harm that another group would be spared."
        ),
        # Measured: AUC up to 0.75, 0.04 above a champion that had not seen a storm; the hour alone
        # 0.62, in July 0.71; the carrier's day before 0.02 better than it in April; at most 0.006
        # lost without any other feature; no more rows repeated than usual. The own
        # delay at departure gives an AUC of over 0.9, and stands in for everything.
        criteria.Leakage(
            max_auc=0.85,
            max_gain_share=0.6,
            max_jump=0.1,
            max_naive=0.75,
            max_over_naive=0.05,
            max_unique=0.03,
            max_repetition=0.1,
        ),
        criteria.EnoughRows(min_rows=1000, min_positives=100),
    )
)

# The past of a carrier is shared by all its flights of a day, and a month has but thirty days: from
# month to month chance and season alone move its distribution by a PSI of 0.4 to 2.4.
DRIFT = DriftLimits(warning_psi=1.0, drift_psi=2.5)

_SCHEDULE = "it departs late in the day"
_PLAN = "the schedule leaves little time"
_CROWD = "many flights leave then"
_CARRIER = "the carrier was often late"
_WEATHER = "the weather an hour before"

REASONS = ReasonCodes(
    band="high",
    words={
        "departure_hour": _SCHEDULE,
        "weekday": "the day of the week",
        "scheduled_minutes": _PLAN,
        "slack_minutes": _PLAN,
        "departures_that_hour": _CROWD,
        "plane_age_years": "the age of the plane",
        "carrier_late_share_28d": _CARRIER,
        "route_late_share_28d": "flights on the route were often late",
        "plane_late_share_28d": "the plane was often late",
        "carrier_late_share_1d": _CARRIER,
        "origin_late_share_1d": "the day before was a bad one at the airport",
        "wind_mph": _WEATHER,
        "rain_inches": _WEATHER,
        "visibility_miles": _WEATHER,
        "humidity_pct": _WEATHER,
        "pressure_mbar": _WEATHER,
    },
)

# The direction in which each makes a delay more likely. Days are few, and their flights share
# weather and past: without it the model learns single days by heart (AUC in April 0.687 instead of
# 0.697).
DIRECTIONS = {
    "carrier_late_share_28d": 1,
    "route_late_share_28d": 1,
    "plane_late_share_28d": 1,
    "carrier_late_share_1d": 1,
    "origin_late_share_1d": 1,
    "wind_mph": 1,
    "rain_inches": 1,
    "humidity_pct": 1,
    "visibility_miles": -1,
    "pressure_mbar": -1,
}

_MONOTONE = f"({','.join(str(DIRECTIONS.get(name, 0)) for name in FEATURE_NAMES)})"

LIMITATIONS = (
    "Flights out of the three airports of New York in 2013: nothing says that it holds elsewhere "
    "or today.",
    "Cancelled and diverted flights (2.8 %) have no outcome: the model foresees lateness of those "
    "that arrive.",
    "A score is worth something from an hour before departure on: it takes the last observation "
    "of the weather, and the plane that flew. Weeks before, neither is known.",
    "Carriers report after a month, so months are scored when they are over. To warn people, the "
    "flights and yesterday's departures have to be delivered daily.",
    "One year: seasons are extrapolated. A model of winter and spring has seen neither the storms "
    "of July nor the calm of September.",
    "What the plane did on the same day, which would say most, is left out: only days before are "
    "looked at.",
)


def model(name: str, owner: str) -> ModelSpec:
    """The declaration of the model."""
    return ModelSpec(
        name=name,
        owner=owner,
        purpose="Warn receivers of flights that are likely to arrive more than 15 minutes late.",
        features=FEATURES.contract,
        labels=LABELS.contract,
        feature_names=FEATURE_NAMES,
        target="is_late",
        label_lag=0,
        naive="departure_hour",
        task=Binary(costs=COSTS, bands=BANDS, flagged_band="medium", reasons=REASONS),
        gate=GATE,
        drift=DRIFT,
        limitations=LIMITATIONS,
        lineage=tuple(t.contract for t in (FLIGHTS, PUNCTUALITY, WEATHER, PLANES, AIRPORTS)),
        params={
            "learning_rate": 0.1,
            "grow_policy": "lossguide",
            "max_leaves": 15,
            "max_depth": 0,
            "min_child_weight": 50.0,
            "subsample": 0.8,
            "colsample_bytree": 0.7,
            "monotone_constraints": _MONOTONE,
        },
        rounds=60,
        min_train_partitions=3,
    )
