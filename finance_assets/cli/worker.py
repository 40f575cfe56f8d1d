"""Worker: a process that runs use cases one after the other, and tells how far it is.

Who starts workers, and what they are given to do, is side_by_side.py's business.
"""

import contextlib
import os
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection

from finance_assets.cli.events import Event
from finance_assets.compute.stores import as_ours
from finance_assets.errors import FinanceAssetsError
from finance_assets.settings import get_settings
from finance_assets.use_cases import all_use_cases

# For a step to end what it is in when nobody waits for it any more.
GRACE_SECONDS = 20.0


@dataclass(frozen=True)
class Failed:
    """What kept a use case from its last partition, in the parts that make the error again."""

    kind: str
    what: str
    where: str
    remedy: str


@dataclass(frozen=True)
class Finished:
    """The use case is through; the worker can take another."""


Answer = Event | Failed | Finished


def work(connection: "Connection[Answer, str]", through: str | None) -> None:
    """Run the use cases that are named one by one; each ends with `Failed` or `Finished`."""
    _leave_group()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Who interrupts it is told by the parent; whoever ends it closes the connection.
    with contextlib.suppress(KeyboardInterrupt, EOFError, BrokenPipeError):
        _work(connection, through)


def _work(connection: "Connection[Answer, str]", through: str | None) -> None:
    from finance_assets.cli.ready import import_libraries, open_instance
    from finance_assets.definitions import defs

    import_libraries()
    from finance_assets.cli.play import play_use_case

    name = connection.recv()
    with open_instance(get_settings()) as instance:
        while True:
            use_case = all_use_cases()[name]
            try:
                play_use_case(defs, instance, use_case, through, connection.send)
                connection.send(Finished())
            except Exception as error:  # noqa: BLE001 - shown in full by the parent
                connection.send(_failure(name, error))
            name = connection.recv()


def _failure(name: str, error: Exception) -> Failed:
    known = as_ours(error, get_settings())
    if isinstance(known, FinanceAssetsError):
        return Failed(type(known).__name__, known.what, known.where, known.remedy)
    trace = "".join(traceback.format_exception(error)).rstrip()
    remedy = "this is a mistake in the code: mend it and run again; what is done is not done twice"
    return Failed(FinanceAssetsError.__name__, trace, name, remedy)


def _leave_group() -> None:
    """Leave Ctrl-C to the parent, who passes it on once: twice would break what tidies up."""
    if sys.platform != "win32":
        os.setpgid(0, 0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _end_with_parent() -> None:
    """End when the parent does, however that ends."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        if sys.platform != "win32":
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(GRACE_SECONDS)
        os._exit(1)
