"""Stores: errors of other programs' stores, and of the workspace, as errors that a person can act
on.
"""

import re

from finance_assets.errors import FinanceAssetsError, StoreError
from finance_assets.settings import Settings

REFUSED = re.compile("permission|privilege", re.IGNORECASE)
MEND = "see that it is there, whole and reachable; restore it from a backup if not"
ASK = "you lack the right: get into the group that has it (docs/databricks/prerequisites.md)"


def as_ours(error: BaseException, settings: Settings) -> FinanceAssetsError | None:
    """The error if it is one of ours, what another program's store said as one of ours, None for
    anything else.
    """
    if isinstance(error, FinanceAssetsError):
        return error
    places = {
        "mlflow": settings.tracking_uri,
        "sqlalchemy": f"{settings.tracking_uri} or {settings.dagster_home}",
        "sqlite3": f"{settings.tracking_uri} or {settings.dagster_home}",
        "dagster": str(settings.dagster_home),
        "deltalake": str(settings.lakehouse_root),
        "pyspark": settings.catalog or str(settings.lakehouse_root),
        "databricks": f"the workspace, volume {settings.databricks.volume}",
    }
    inner: BaseException | None = error
    while inner is not None:
        program = type(inner).__module__.partition(".")[0]
        if program in places:
            # The first line says what; SQL and links follow. Which right is missing is in the next.
            lines = str(inner).strip().splitlines() or [type(inner).__name__]
            is_refused = bool(REFUSED.search(lines[0]))
            return StoreError(
                f"{program} says: {' '.join(lines[: 1 + is_refused])}",
                where=places[program],
                remedy=ASK if is_refused else MEND,
            )
        inner = inner.__cause__ or inner.__context__
    return None
