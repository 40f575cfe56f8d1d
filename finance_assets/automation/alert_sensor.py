"""The alert sensor: tells every channel what it was not told yet.

Its cursor is the only memory of what was told, by channel. What holds no more is forgotten, so
that it is told again when it comes back; what may still hold, as its kind of facts cannot be
read, is not. A channel that fails is tried again at the next tick.

The cursor is written at the end of a tick: of one that dies before, the next one tells everything
once more. So each thing is told at least once.
"""

import json
from collections.abc import Callable
from dataclasses import asdict

import dagster as dg

from finance_assets.automation.alert_facts import alert_facts
from finance_assets.automation.alerts import Alert, alerts_of
from finance_assets.automation.channels import Channel, channels_of
from finance_assets.automation.runs import end_left_behind
from finance_assets.automation.told import Memory, untold
from finance_assets.compute.runner import open_lakehouse
from finance_assets.settings import Settings, get_settings
from finance_assets.step.use_case import UseCase

# So many failures in a row are a channel that is down.
GIVE_UP_AFTER = 2


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
        holding, known = {alert.key for alert in alerts}, _read(context.cursor)
        before = {name: memory.of(holding, facts.unknown) for name, memory in known.items()}
        now = {
            one.name: _tell(
                one, alerts, before.get(one.name, Memory()), settings, context.log.warning
            )
            for one in channels
        }
        context.update_cursor(json.dumps({name: asdict(memory) for name, memory in now.items()}))
        new = sum(len(set(m.told) - set(before.get(n, Memory()).told)) for n, m in now.items())
        return dg.SkipReason(_summary(alerts, len(channels), new))

    return _sensor


def _read(cursor: str | None) -> dict[str, Memory]:
    """What is remembered by channel. The first versions of this package kept a list of the told."""
    known = json.loads(cursor or "{}")
    return {
        name: Memory(told=said) if isinstance(said, list) else Memory(**said)
        for name, said in known.items()
    }


def _tell(
    channel: Channel,
    alerts: list[Alert],
    before: Memory,
    settings: Settings,
    warn: Callable[[str], object],
) -> Memory:
    """Tell a channel what is new; what is to be remembered of it.

    Two messages in a row that it does not take are taken for a channel that is down: each costs
    seconds, and other channels wait. The next tick begins with those that it was not asked yet, so
    messages that it never takes keep no other from it.
    """
    told, refused = [*before.told], [*before.refused]
    failures = 0
    for alert in untold(alerts, told, refused):
        if alert.key in refused:
            refused.remove(alert.key)
        if channel.send(alert.title, alert.body(settings.dagster_ui_url, settings.runbook_url)):
            told.append(alert.key)
            failures = 0
            continue
        warn(f"channel {channel.name} did not take '{alert.title}'; it is tried again")
        refused.append(alert.key)
        failures += 1
        if failures == GIVE_UP_AFTER:
            break
    return Memory(told, refused)


def _summary(alerts: list[Alert], channels: int, new: int) -> str:
    holding = "; ".join(alert.title for alert in alerts[:5]) or "nothing"
    if not channels:
        return f"nobody is told, as FINANCE_ASSETS_ALERT_URLS names no channel. Holding: {holding}"
    return f"{new} alert(s) sent to {channels} channel(s). Holding: {holding}"
