"""Channels: where alerts go, through apprise. A channel that does not answer is no error here.

The URLs are secrets: nothing here logs, shows or raises one.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

from finance_assets.settings import Settings

# A title and a body; whether the channel took them.
Send = Callable[[str, str], bool]


@dataclass(frozen=True)
class Channel:
    """One place that is told. `name` tells it from the others without giving it away."""

    name: str
    send: Send


def channels_of(settings: Settings) -> tuple[list[Channel], list[int]]:
    """The channels of FINANCE_ASSETS_ALERT_URLS, and the places of URLs that are none."""
    text = settings.alert_urls.get_secret_value()
    if not text.strip():
        return [], []
    # Imported here: it takes a while, and most processes tell nobody anything.
    from apprise import Apprise
    from apprise.utils.parse import parse_urls

    # apprise logs the URLs that it fails at.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    channels: dict[str, Channel] = {}
    wrong = []
    for place, url in enumerate(parse_urls(text) or [text], 1):
        service = Apprise.instantiate(url)
        if service is None:
            wrong.append(place)
        else:
            # Not its place: who moves or adds a URL must not be told everything again.
            name = hashlib.sha256(url.encode()).hexdigest()[:8]
            channels[name] = Channel(name, _sender(service))
    return list(channels.values()), wrong


def _sender(service: object) -> Send:
    from apprise import Apprise

    def send(title: str, body: str) -> bool:
        one = Apprise()
        one.add(service)
        try:
            return bool(one.notify(body=body, title=title))
        except Exception:  # noqa: BLE001 - whatever a plugin does: the next tick tries again
            return False

    return send
