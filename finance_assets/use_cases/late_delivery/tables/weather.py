"""Weather: the hourly observations at the three airports, as they came and typed."""

from finance_assets.lakehouse.contract import RowRule
from finance_assets.lakehouse.sources.source import Source
from finance_assets.steps.entity import Bronze, Delivered, Entity
from finance_assets.use_cases.late_delivery.tables.flights import DAY_EXISTS, ORIGINS, in_month


def _observed(name: str, description: str, unit: str, at_source: str) -> Delivered:
    return Delivered(name, "double", description, at_source, is_nullable=True, unit=unit)


WEATHER = Entity(
    "silver.weather_hours",
    "One row per airport and hour with an observation that keeps every rule.",
    source=Source("the weather service", "weather_{partition}.csv.gz", null_tokens=("NA",)),
    columns=(
        Delivered("origin", "string", "Airport: EWR, JFK, LGA"),
        Delivered("year", "string", "Year of the observation"),
        Delivered("month", "string", "Month of the observation, 1 to 12"),
        Delivered("day", "int", "Day of the month, local time"),
        Delivered("hour", "int", "Hour of the day, local time, 0 to 23"),
        _observed("humidity_pct", "Relative humidity", "%", "humid"),
        _observed("wind_mph", "Wind speed", "mph", "wind_speed"),
        _observed("rain_inches", "Precipitation in the hour", "inches", "precip"),
        _observed("pressure_mbar", "Pressure at sea level", "mbar", "pressure"),
        _observed("visibility_miles", "Visibility, at most 10", "miles", "visib"),
    ),
    # When clocks are set back an hour comes twice, with two observations. Nobody can tell which
    # one a local time means, so both are rejected.
    key=("weather_month", "origin", "day", "hour"),
    partition_column="weather_month",
    rules=(
        RowRule(
            "in_its_month",
            in_month("weather_month"),
            "A delivery holds the observations of its month.",
        ),
        RowRule("day_exists", DAY_EXISTS, "The month has such a day."),
        RowRule("hour_exists", "hour >= 0 AND hour <= 23", "Days have the hours 0 to 23."),
        RowRule(
            "origin_known",
            f"origin IN ({', '.join(repr(name) for name in ORIGINS)})",
            "Flights leave from these airports.",
        ),
        # EWR reported 1,048 mph on 2013-02-12.
        RowRule(
            "wind_plausible",
            "coalesce(wind_mph, 0) >= 0 AND coalesce(wind_mph, 0) <= 253",
            "The strongest gust ever measured was 253 mph.",
        ),
        RowRule(
            "humidity_range",
            "coalesce(humidity_pct, 50) >= 0 AND coalesce(humidity_pct, 50) <= 100",
            "Relative humidity is a share.",
        ),
        RowRule("rain_not_negative", "coalesce(rain_inches, 0) >= 0", "Rain does not rise."),
        RowRule(
            "pressure_plausible",
            "coalesce(pressure_mbar, 1013) >= 870 AND coalesce(pressure_mbar, 1013) <= 1085",
            "Pressures ever measured lie between 870 and 1085 mbar.",
        ),
    ),
    max_quarantine_share=0.02,
    bronze=Bronze(
        "bronze.weather_deliveries",
        "Every delivered observation as it came, as text, with where it came from.",
        "weather_month",
        "Month that the delivery is for (YYYY-MM)",
    ),
)
