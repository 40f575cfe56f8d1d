"""Interrupts: the first one counts, and what has to be tidied up then is not interrupted again.

Ctrl-C in a terminal signals every process of its group, and Dagster's parent then interrupts its
child once more. Under Dagster's own handler the second interrupt would end the cancelling of the
first, and leave a paid run behind.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from dagster._core.errors import DagsterExecutionInterruptedError

INTERRUPTS = (DagsterExecutionInterruptedError, KeyboardInterrupt)
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def one_interrupt() -> AbstractContextManager[None]:
    """Raise the first interrupt of the block, and take no notice of those after it.

    Also while that first one is being handled inside of the block.
    """
    seen: list[bool] = []

    def handle(*_: object) -> None:
        if not seen:
            seen.append(True)
            raise DagsterExecutionInterruptedError

    return _handled_by(handle)


def no_interrupt() -> AbstractContextManager[None]:
    """Take no notice of interrupts during the block."""
    return _handled_by(lambda *_: None)


@contextmanager
def _handled_by(handler: Callable[..., None]) -> Iterator[None]:
    """Only a process's main thread gets signals; in another one this does nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    outer = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        for number in SIGNALS:
            signal.signal(number, handler)
        yield
    finally:
        for number, former in outer.items():
            signal.signal(number, former)
