"""Features: what is known of a flight an hour before its scheduled departure.

- its schedule, and how many other flights are to leave then;
- how carrier, route, origin and plane kept their departures, up to the day before;
- the observation of the hour before the scheduled one, and not of that hour itself;
- plane and destination, as the newest lists have them.

The past is joined by day number, at most 28 days back, which the month before holds whole. Windows
with RANGE frames say the same, but Sail 0.7.2 needs minutes for them.
"""

from finance_assets.lakehouse.contract import Column, RowRule
from finance_assets.steps.derived import Table
from finance_assets.use_cases.late_delivery.tables.airports import AIRPORTS
from finance_assets.use_cases.late_delivery.tables.flights import DAY_NUMBER, FLIGHTS, minutes_of
from finance_assets.use_cases.late_delivery.tables.planes import PLANES
from finance_assets.use_cases.late_delivery.tables.punctuality import PUNCTUALITY, SUBJECTS
from finance_assets.use_cases.late_delivery.tables.registers import newest, until_now
from finance_assets.use_cases.late_delivery.tables.weather import WEATHER

DAYS_BACK = 28
# New York's own distance to UTC in winter, in hours. Where clocks are not set as in New York
# (daylight_rule), the time between two of them is not known.
HOME_UTC_OFFSET = -5
# The speed at which a flight would need no time for taking off, landing and waiting.
CRUISE_MILES_PER_MINUTE = 8.0


def _past(kind: str) -> str:
    """How a kind of subject kept its departures before each of the days on which it has some."""
    name = SUBJECTS[kind]
    yesterday = "CASE WHEN earlier.day_number = asked.day_number - 1 THEN"
    return f"""
{kind}_days AS (SELECT DISTINCT {name} AS name, day_number FROM scheduled),
{kind}_past AS (
  SELECT asked.name AS {kind}_name, asked.day_number,
    cast(sum(late_departures) AS double) / cast(sum(flights) AS double) AS share_28d,
    cast(sum({yesterday} late_departures END) AS double)
      / cast(sum({yesterday} flights END) AS double) AS share_1d
  FROM {kind}_days AS asked
  JOIN punctuality_days AS earlier
    ON earlier.name = asked.name
    AND earlier.kind = '{kind}'
    AND earlier.day_number < asked.day_number
    AND earlier.day_number >= asked.day_number - {DAYS_BACK}
  GROUP BY asked.name, asked.day_number
)"""


def _joined(kind: str) -> str:
    return f"""
LEFT JOIN {kind}_past
  ON {kind}_past.{kind}_name = scheduled.{kind}_name
  AND {kind}_past.day_number = scheduled.day_number"""


_OBSERVED = ("wind_mph", "rain_inches", "visibility_miles", "humidity_pct", "pressure_mbar")
_CLOCK = ("utc_offset_hours", "daylight_rule")

_SELECT = f"""
WITH scheduled AS (
  SELECT *, {DAY_NUMBER} AS day_number,
    {minutes_of("scheduled_departure")} AS departs,
    {minutes_of("scheduled_arrival")} AS arrives,
    cast(floor(scheduled_departure / 100) AS int) AS departure_clock_hour,
    {", ".join(f"{name} AS {kind}_name" for kind, name in SUBJECTS.items())}
  FROM flights
),
{",".join(_past(kind) for kind in SUBJECTS)},
crowd AS (
  SELECT origin, day_number, departure_clock_hour, count(*) AS departures_that_hour
  FROM scheduled
  GROUP BY origin, day_number, departure_clock_hour
),
months AS (SELECT DISTINCT flight_month FROM flights),
plane_list AS ({newest("planes", "tail_number", ("built_year",), "months")}),
airport_list AS ({newest("airports", "destination", _CLOCK, "months")}),
timed AS (
  SELECT scheduled.*,
    CASE WHEN daylight_rule = 'A' THEN
      pmod(arrives - departs + ({HOME_UTC_OFFSET} - utc_offset_hours) * 60, 1440)
    END AS minutes
  FROM scheduled
  LEFT JOIN airport_list
    ON airport_list.destination = scheduled.destination
    AND airport_list.flight_month = scheduled.flight_month
)
SELECT
  scheduled.flight_month, scheduled.day, scheduled.carrier, scheduled.flight_number,
  scheduled.origin,
  cast(departs AS double) / 60.0D AS departure_hour,
  cast(pmod(scheduled.day_number, 7) AS double) AS weekday,
  cast(minutes AS double) AS scheduled_minutes,
  cast(minutes AS double) - cast(distance_miles AS double) / {CRUISE_MILES_PER_MINUTE}D
    AS slack_minutes,
  cast(departures_that_hour AS double) AS departures_that_hour,
  cast(cast(substring(scheduled.flight_month, 1, 4) AS int) - built_year AS double)
    AS plane_age_years,
  carrier_past.share_28d AS carrier_late_share_28d,
  route_past.share_28d AS route_late_share_28d,
  plane_past.share_28d AS plane_late_share_28d,
  carrier_past.share_1d AS carrier_late_share_1d,
  origin_past.share_1d AS origin_late_share_1d,
  {", ".join(_OBSERVED)}
FROM timed AS scheduled
LEFT JOIN plane_list
  ON plane_list.tail_number = scheduled.tail_number
  AND plane_list.flight_month = scheduled.flight_month
LEFT JOIN crowd
  ON crowd.origin = scheduled.origin
  AND crowd.day_number = scheduled.day_number
  AND crowd.departure_clock_hour = scheduled.departure_clock_hour
LEFT JOIN weather_hours
  ON weather_hours.origin = scheduled.origin
  AND weather_hours.weather_month = scheduled.flight_month
  AND weather_hours.day = scheduled.day
  AND weather_hours.hour + 1 = scheduled.departure_clock_hour
{"".join(_joined(kind) for kind in SUBJECTS)}
"""


def _share(name: str, whose: str, days: str) -> Column:
    return Column(
        name,
        "double",
        f"Share of the departures {whose} that were late or cancelled, {days}; null: none then",
        is_nullable=True,
    )


_DAYS = f"in the {DAYS_BACK} days before that of the flight"
_COLUMNS = (
    Column("departure_hour", "double", "Scheduled departure, local time", unit="hours"),
    Column("weekday", "double", "Day of the week, 0 is Monday"),
    Column(
        "scheduled_minutes",
        "double",
        "Scheduled from gate to gate; null where clocks follow other rules than New York's",
        is_nullable=True,
        unit="minutes",
    ),
    Column(
        "slack_minutes",
        "double",
        "scheduled_minutes less the time that the distance takes at 480 mph",
        is_nullable=True,
        unit="minutes",
    ),
    Column("departures_that_hour", "double", "Departures scheduled there in the same hour"),
    Column(
        "plane_age_years",
        "double",
        "Year of the flight less that of manufacture; null if the plane is not listed",
        is_nullable=True,
        unit="years",
    ),
    _share("carrier_late_share_28d", "of the carrier", _DAYS),
    _share("route_late_share_28d", "on the route", _DAYS),
    _share("plane_late_share_28d", "of the plane", _DAYS),
    _share("carrier_late_share_1d", "of the carrier", "on the day before"),
    _share("origin_late_share_1d", "from the origin", "on the day before"),
)
FEATURE_NAMES = (*(column.name for column in _COLUMNS), *_OBSERVED)

FEATURES = Table(
    "features.late_delivery_features",
    "What is known of a flight an hour before its scheduled departure: nothing of its own "
    "departure, nothing of the same day.",
    inputs=(
        FLIGHTS,
        PUNCTUALITY.at(-1, 0),
        WEATHER,
        until_now(PLANES),
        until_now(AIRPORTS),
    ),
    columns=(
        *("flight_month", "day", "carrier", "flight_number", "origin"),
        *_COLUMNS,
        *_OBSERVED,
    ),
    transform=_SELECT,
    rules=(
        RowRule(
            "shares_are_shares",
            " AND ".join(
                f"coalesce({column.name}, 0) >= 0 AND coalesce({column.name}, 0) <= 1"
                for column in _COLUMNS
                if "_share_" in column.name
            ),
            "A share lies between 0 and 1.",
        ),
    ),
    min_rows=1,
)
