"""The exception family: each says what happened, where, and what to do about it.

Only errors that a person has to act on belong here. Programming mistakes stay plain Python
exceptions.
"""


class FinanceAssetsError(Exception):
    """Base of every error this package raises on purpose.

    `what` happened, `where` it happened (file and line, table and partition, setting), and the
    `remedy` a person can apply.
    """

    def __init__(self, what: str, *, where: str, remedy: str) -> None:
        """Build the three-part message."""
        self.what, self.where, self.remedy = what, where, remedy
        super().__init__(f"{what}\n  where:  {where}\n  remedy: {remedy}")


class SettingsError(FinanceAssetsError):
    """A setting is missing or contradicts another."""


class DeclarationError(FinanceAssetsError, ValueError):
    """A contract, a model or a use case contradicts itself; it does not load."""


class DeliveryError(FinanceAssetsError):
    """A delivery is missing or cannot be read as a whole; nothing of it was taken over."""


class ContractError(FinanceAssetsError):
    """Rows to publish do not have the shape that their contract declares."""


class MissingInputError(FinanceAssetsError):
    """A table that a step reads was never made for the partition; nothing was written."""


class PublishConflictError(FinanceAssetsError):
    """Other writers kept winning the commit for longer than publish is willing to retry."""


class LostRaceError(FinanceAssetsError):
    """Somebody else changed a table first; what was decided rests on what is no longer so."""


class HistoryError(FinanceAssetsError):
    """A model step was asked for at a time when there was not yet enough history."""


class TooEarlyError(HistoryError):
    """Not enough outcomes have become known yet; time will mend it."""


class StoreError(FinanceAssetsError):
    """A store of another program (MLflow, Dagster, the engine) is damaged or does not answer."""


class ModelError(FinanceAssetsError):
    """A model, its artifact or its record in the registry is missing or was altered."""


class GoneError(ModelError):
    """A registered model is not there any more, or another run has taken its number."""


class RunFailedError(FinanceAssetsError):
    """A Dagster run failed; its events are in the instance."""


class ProcessLostError(FinanceAssetsError):
    """The process that ran a use case was killed, or ended without a word."""


def revived(kind: str, what: str, where: str, remedy: str) -> FinanceAssetsError:
    """An error that was raised in another process, as its own kind if it is one of this module."""
    known = globals().get(kind)
    if isinstance(known, type) and issubclass(known, FinanceAssetsError):
        return known(what, where=where, remedy=remedy)
    return FinanceAssetsError(what, where=where, remedy=remedy)
