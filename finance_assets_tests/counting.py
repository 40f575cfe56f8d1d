"""Counting: how often something was called, and with what."""

from collections import Counter
from collections.abc import Callable

import pytest


def counted(
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    name: str,
    of: Callable[..., object] = lambda *given, **more: None,
) -> Counter[object]:
    """How often a function was called from now on, by what `of` makes of its arguments. It does what
    it did before.
    """
    found, real = Counter[object](), getattr(owner, name)

    def counting(*given, **more):
        found[of(*given, **more)] += 1
        return real(*given, **more)

    monkeypatch.setattr(owner, name, counting)
    return found
