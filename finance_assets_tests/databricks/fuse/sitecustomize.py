"""What a cluster does for its processes: `/Volumes/…` is a mounted folder.

On the path of every task of the stand-in. Python's own file calls are redirected; code of this
package needs no other way to a volume. What a volume refuses is refused here, too.
"""

import builtins
import errno
import io
import os

ROOT = os.environ.get("STANDIN_VOLUMES", "")


def _local(path):
    if isinstance(path, int) or not ROOT:
        return path
    text = os.fspath(path)
    if isinstance(text, str) and text.startswith("/Volumes/"):
        return ROOT + text.removeprefix("/Volumes")
    return path


def _redirected(function, count=1):
    def call(*given, **more):
        return function(*(_local(p) for p in given[:count]), *given[count:], **more)

    return call


for _module, _names in ((builtins, ["open"]), (io, ["open"])):
    for _name in _names:
        setattr(_module, _name, _redirected(getattr(_module, _name)))
for _name in (
    "open",
    "stat",
    "mkdir",
    "makedirs",
    "listdir",
    "scandir",
    "remove",
    "unlink",
):
    setattr(os, _name, _redirected(getattr(os, _name)))


def _utime(path, *given, _real=os.utime, **more):
    """A volume sets the times of its files itself."""
    if _local(path) != path:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM), os.fspath(path))
    return _real(path, *given, **more)


os.utime = _utime
for _name in ("rename", "replace"):
    setattr(os, _name, _redirected(getattr(os, _name), 2))
