"""Doctor: before anything is spent, find out what would fail in a workspace later.

Asks and probes; starts no compute. It leaves what the first step would make anyway (the wheel on
its volume, the folder of the experiments) and nothing else. Each check is a function of the
examination that says what is well, or raises an Ailment. Checks of data and rights are in
doctor_data.py, of compute in doctor_compute.py.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from finance_assets.compute.databricks.rights import ROLES, Role
from finance_assets.compute.databricks.workspace import open_workspace
from finance_assets.errors import SettingsError
from finance_assets.settings import DatabricksSettings, Settings
from finance_assets.step.use_case import UseCase

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

# Long enough for a hiccup; a doctor that waits for minutes is not asked again.
API_LIMIT_SECONDS = 20


class Ailment(Exception):
    """Something that would fail later, and what to do about it."""

    def __init__(self, text: str, remedy: str) -> None:
        """`text` says what would fail, `remedy` what a person can do."""
        super().__init__(text)
        self.text, self.remedy = text, remedy


@dataclass(frozen=True)
class Finding:
    """What one check found. `remedy` is empty where all is well."""

    check: str
    is_well: bool
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Examination:
    """The settings and the workspace that are looked at."""

    settings: Settings
    use_cases: tuple[UseCase, ...]
    # Whose rights are asked for.
    role: Role = ROLES["orchestrator"]

    @cached_property
    def databricks(self) -> DatabricksSettings:
        """The settings, with less patience."""
        return self.settings.databricks.model_copy(update={"api_limit_seconds": API_LIMIT_SECONDS})

    @cached_property
    def client(self) -> "WorkspaceClient":
        """The workspace, as steps would open it."""
        return open_workspace(self.databricks)

    @cached_property
    def principals(self) -> frozenset[str]:
        """The names by which something may have been granted to us."""
        me = self.client.current_user.me()
        groups = {str(group.display) for group in me.groups or []}
        return frozenset({str(me.user_name), *groups, "account users"})

    def privileges(self, kind: str, name: str) -> set[str]:
        """What we may do with a securable: granted to us or our groups, on it or above it."""
        answer = self.client.grants.get_effective(kind, name)
        return {
            str(privilege.privilege.value)
            for assignment in answer.privilege_assignments or []
            if assignment.principal in self.principals
            for privilege in assignment.privileges or []
            if privilege.privilege is not None
        }


Check = Callable[[Examination], str]


def examine(settings: Settings, use_cases: Iterable[UseCase], role: str) -> list[Finding]:
    """Every check in order, as somebody in a role; without authentication there is nothing else to
    ask.

    Raises:
        SettingsError: there is no such role.
    """
    from finance_assets.compute.databricks.doctor_compute import COMPUTE_CHECKS
    from finance_assets.compute.databricks.doctor_data import DATA_CHECKS

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
