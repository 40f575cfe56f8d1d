"""The workspace: databricks-sdk's client, and riding out failures that pass by themselves.

Credentials are found by the SDK's unified authentication. No secret is ever read, kept or printed
here.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from finance_assets.settings import DatabricksSettings

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

T = TypeVar("T")
HTTP_TIMEOUT_SECONDS = 60


def open_workspace(settings: DatabricksSettings) -> "WorkspaceClient":
    """The client. Throttling (429 with Retry-After), 503 and dropped connections are retried by
    the SDK itself for as long as `api_limit_seconds`.

    Raises:
        ValueError: nothing says who we are, or what says so is incomplete.
    """
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.core import Config

    return WorkspaceClient(
        config=Config(
            http_timeout_seconds=HTTP_TIMEOUT_SECONDS,
            retry_timeout_seconds=settings.api_limit_seconds,
            product="finance-assets",
            product_version="0.1.0",
        )
    )


def me(settings: DatabricksSettings, client: "WorkspaceClient") -> str:
    """Whom the workspace takes us for: a user's name, or a service principal's id."""
    return str(patiently(settings, lambda: client.current_user.me()).user_name)


def patiently(settings: DatabricksSettings, call: Callable[[], T]) -> T:
    """Make a call that may be repeated: transient failures that the SDK does not retry are.

    Raises:
        DatabricksError: the failure lasted for longer than `api_limit_seconds`.
    """
    attempts = Retrying(
        retry=retry_if_exception(is_transient),
        stop=stop_after_delay(settings.api_limit_seconds),
        wait=wait_random_exponential(multiplier=0.2, max=10),
        reraise=True,
    )
    return attempts(call)


def is_transient(error: BaseException) -> bool:
    """Whether a failure says nothing about the request: server errors and broken transport."""
    from databricks.sdk.errors import (
        BadRequest,
        DeadlineExceeded,
        InternalError,
        NotFound,
        PermissionDenied,
        TemporarilyUnavailable,
        TooManyRequests,
        Unauthenticated,
    )
    from databricks.sdk.errors.base import DatabricksError
    from requests.exceptions import RequestException

    if isinstance(error, BadRequest | NotFound | PermissionDenied | Unauthenticated):
        return False
    passing = (InternalError, TemporarilyUnavailable, TooManyRequests, DeadlineExceeded)
    if isinstance(error, passing):
        return True
    # A proxy's own page, or half an answer, has no error code that the SDK knows.
    if isinstance(error, DatabricksError):
        return error.error_code is None or "unable to parse" in str(error)
    return isinstance(error, RequestException | TimeoutError)
