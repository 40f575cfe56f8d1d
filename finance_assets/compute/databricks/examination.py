"""The examination of a workspace: what the doctor's checks look at, and how they complain."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from finance_assets.compute.databricks.rights import ROLES, Role
from finance_assets.compute.databricks.workspace import open_workspace
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
