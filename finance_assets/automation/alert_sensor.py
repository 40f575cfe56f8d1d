"""The alert sensor: tells every channel what it was not told yet.

Its cursor is the only memory of what was told, by channel. What holds no more is forgotten, so
that it is told again when it comes back. A channel that fails is tried again at the next tick.
"""

import json
from collections.abc import Callable

import dagster as dg

from finance_assets.automation.alert_facts import alert_facts
from finance_assets.automation.alerts import Alert, alerts_of, untold
from finance_assets.automation.channels import Channel, channels_of
from finance_assets.automation.runs import end_left_behind
from finance_assets.compute.runner import open_lakehouse
from finance_assets.settings import Settings, get_settings
from finance_assets.step.use_case import UseCase

# So many failures in a row are a channel that is down.
GIVE_UP_AFTER = 2
# By channel: the keys of what it was told and what still holds.
Told = dict[str, list[str]]


def build_alert_sensor(use_case: UseCase) -> dg.SensorDefinition:
    """Tells people what needs them. Without a channel it says in the UI what it would tell."""

    @dg.sensor(
        name=f"{use_case.name}_alert_sensor",
        minimum_interval_seconds=get_settings().sensor_interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells the channels of FINANCE_ASSETS_ALERT_URLS, once each: failed steps, "
        "quarantine over its limit, overdue deliveries, candidates that the gate turned down or "
        "that wait for approval, partitions that triage holds, a broken champion history.",
    )
    def _sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        settings = get_settings()
        # MLflow is for others to ask: whether it answers must not decide on who is told.
        end_left_behind(context.instance, settings, with_trainings=False)
        facts = alert_facts(context.instance, open_lakehouse(settings), use_case)
        alerts = alerts_of(facts)
        channels, wrong = channels_of(settings)
        for place in wrong:
            context.log.error(f"FINANCE_ASSETS_ALERT_URLS: URL number {place} is none of apprise's")
        told: Told = json.loads(context.cursor or "{}")
        sent = {
            one.name: _tell(one, alerts, told.get(one.name, []), settings, context.log.warning)
            for one in channels
        }
        context.update_cursor(json.dumps(sent))
        new = sum(len(set(keys) - set(told.get(name, []))) for name, keys in sent.items())
        return dg.SkipReason(_summary(alerts, len(channels), new))

    return _sensor


def _tell(
    channel: Channel,
    alerts: list[Alert],
    told: list[str],
    settings: Settings,
    warn: Callable[[str], object],
) -> list[str]:
    """Tell a channel what is new; the keys of all that it was told and that still holds.

    One message that a channel does not take keeps no other from it. Two in a row are taken for a
    channel that is down: each costs seconds, and other channels wait.
    """
    holding = {alert.key for alert in alerts}
    known = [key for key in told if key in holding]
    failures = 0
    for alert in untold(alerts, known):
        body = alert.body(settings.dagster_ui_url, settings.runbook_url)
        if channel.send(alert.title, body):
            known.append(alert.key)
            failures = 0
            continue
        warn(f"channel {channel.name} did not take '{alert.title}'; the next tick tries again")
        failures += 1
        if failures == GIVE_UP_AFTER:
            break
    return known


def _summary(alerts: list[Alert], channels: int, new: int) -> str:
    holding = "; ".join(alert.title for alert in alerts[:5]) or "nothing"
    if not channels:
        return f"nobody is told, as FINANCE_ASSETS_ALERT_URLS names no channel. Holding: {holding}"
    return f"{new} alert(s) sent to {channels} channel(s). Holding: {holding}"
