"""Conditions: what Dagster's declarative automation runs. The conditions stand at their assets.

Only what no table knows about is automated so: conditions look at Dagster's log, which may hold
runs that a restored lakehouse does not.
"""

import dagster as dg

NAME = "automation_sensor"


def build_automation_sensor(is_running: bool) -> dg.AutomationConditionSensorDefinition:
    """Evaluates the conditions once a minute; it runs by default only where `is_running`."""
    status = dg.DefaultSensorStatus
    return dg.AutomationConditionSensorDefinition(
        NAME,
        target=dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks(),
        minimum_interval_seconds=60,
        default_status=status.RUNNING if is_running else status.STOPPED,
        description="Runs what declares a condition: each champion history is verified once a day.",
    )
