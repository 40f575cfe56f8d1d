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


class OneInterrupt:
    """Lets one interrupt through, and takes no notice of those after it: also not while that one
    is being handled inside of a block.
    """

    def __init__(self) -> None:
        """Begin with no interrupt."""
        self._has_come = False

    def block(self) -> AbstractContextManager[None]:
        """A block in which the first interrupt is raised."""
        return _handled_by(self._handle)

    def check(self) -> None:
        """Raise it once more, should whatever ran when it came have swallowed it."""
        if self._has_come:
            raise DagsterExecutionInterruptedError

    def _handle(self, *_: object) -> None:
        if not self._has_come:
            self._has_come = True
            raise DagsterExecutionInterruptedError


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
