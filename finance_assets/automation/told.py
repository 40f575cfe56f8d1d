"""Told: what is remembered of a channel, and what it is told next.

Pure. What there is to tell is alerts.py's.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from finance_assets.automation.alerts import Alert

# A first tick after a long silence must not bury a channel; the rest follows with the next ticks.
AT_ONCE = 20
# How the key of each alert begins, by the kind of fact that it follows from.
PREFIXES = {
    "history_problems": "history",
    "holds": "hold",
    "failed_runs": "run",
    "candidates": "decision",
    "overdue": "overdue",
}


@dataclass(frozen=True)
class Memory:
    """What is remembered of a channel, as far as it still holds: the keys of what it was told, and
    of what it refused, longest ago first.
    """

    told: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def of(self, holding: Collection[str], unknown: Collection[str]) -> "Memory":
        """Without what does not hold any more; of the kinds of facts that are unknown, nobody
        knows whether it does.
        """
        kept = {PREFIXES[kind] for kind in unknown}
        told, refused = (
            [key for key in keys if key in holding or key.partition(":")[0] in kept]
            for keys in (self.told, self.refused)
        )
        return Memory(told, refused)


def untold(alerts: list[Alert], told: Collection[str], refused: Sequence[str] = ()) -> list[Alert]:
    """The alerts that a channel is told now; last those that it refused, longest ago first."""
    places = {key: place for place, key in enumerate(refused, 1)}
    new = [alert for alert in alerts if alert.key not in told]
    return sorted(new, key=lambda alert: places.get(alert.key, 0))[:AT_ONCE]
