"""Doctor: before anything is spent, find out what would fail in a workspace later.

Asks and probes; starts no compute. It leaves what the first step would make anyway (the wheel on
its volume, the folder of the experiments) and nothing else. Each check is a function of the
examination that says what is well, or raises an Ailment. Checks of data and rights are in
doctor_data.py, of compute in doctor_compute.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from finance_assets.compute.databricks.doctor_compute import COMPUTE_CHECKS
from finance_assets.compute.databricks.doctor_data import DATA_CHECKS
from finance_assets.compute.databricks.examination import Ailment, Check, Examination
from finance_assets.compute.databricks.rights import ROLES
from finance_assets.errors import SettingsError
from finance_assets.settings import Settings
from finance_assets.step.use_case import UseCase


@dataclass(frozen=True)
class Finding:
    """What one check found. `remedy` is empty where all is well."""

    check: str
    is_well: bool
    text: str
    remedy: str = ""


def examine(settings: Settings, use_cases: Iterable[UseCase], role: str) -> list[Finding]:
    """Every check in order, as somebody in a role; without authentication there is nothing else to
    ask.

    Raises:
        SettingsError: there is no such role.
    """
    # Who only delivers runs nothing that could be looked into.
    roles = [name for name, one in ROLES.items() if one.layers]
    if role not in roles:
        raise SettingsError(
            f"there is no role {role!r}", where="--role", remedy=f"one of: {', '.join(roles)}"
        )
    subject = Examination(settings, tuple(use_cases), role=ROLES[role])
    findings = [_found("authentication", authentication, subject)]
    if not findings[0].is_well:
        return findings
    for name, check in {**DATA_CHECKS, **COMPUTE_CHECKS}.items():
        findings.append(_found(name, check, subject))
    return findings


def authentication(subject: Examination) -> str:
    """Check that the credentials are accepted."""
    try:
        names = subject.principals
    except Exception as error:
        raise Ailment(
            f"nobody is let in: {error}",
            "set DATABRICKS_HOST and a profile, OIDC or another way of unified authentication; "
            "see https://docs.databricks.com/dev-tools/auth/unified-auth",
        ) from error
    return f"as one of {', '.join(sorted(names))}"


def _found(name: str, check: Check, subject: Examination) -> Finding:
    from databricks.sdk.errors.base import DatabricksError

    try:
        return Finding(name, True, check(subject))
    except Ailment as ailment:
        return Finding(name, False, ailment.text, ailment.remedy)
    except (DatabricksError, OSError, TimeoutError) as error:
        return Finding(
            name, False, f"{type(error).__name__}: {error}", "see the message; then ask again"
        )
