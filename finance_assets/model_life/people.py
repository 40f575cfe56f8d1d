"""People: who acts. The identity is the authenticated one, never a text that somebody gives."""

import os
import uuid
from collections.abc import Iterable

from finance_assets.settings import Engine
from finance_assets.step.declaration import StepContext


def acting_user(ctx: StepContext) -> str:
    """Who runs this: on a cluster the workspace's current user, else the user of the process.

    The current user of a job's run is whom it runs as: of a submitted run its submitter, of a
    deployed job its `run_as`, which may be a service principal.
    """
    if ctx.settings.engine is Engine.cluster:
        return str(ctx.lakehouse.spark.sql("SELECT current_user()").collect()[0][0])
    return system_user()


def system_user() -> str:
    """Name of the user that the operating system runs this process as.

    Not `getpass`, which believes the environment: LOGNAME=ada would be ada. A user without a name
    (in some containers) is `uid <number>`.
    """
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def is_application(name: str) -> bool:
    """Whether the name is a service principal's: Databricks gives it its application's UUID."""
    try:
        uuid.UUID(name.strip())
    except ValueError:
        return False
    return True


def is_same_person(one: str, other: str) -> bool:
    """Whether two names are one person's; case and surrounding blanks do not tell them apart."""
    return one.strip().casefold() == other.strip().casefold()


def is_one_of(name: str, people: Iterable[str]) -> bool:
    """Whether a name is one of these people's."""
    return any(is_same_person(name, other) for other in people)
