"""The Command: arguments as fields, one function, and the way of both through JSON."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar, get_type_hints

from pydantic import TypeAdapter

from finance_assets.codec import Json
from finance_assets.step.declaration import StepContext
from finance_assets.step.use_case import UseCase

T = TypeVar("T")


class Command(ABC, Generic[T]):
    """A question or an order about one use case: a dataclass whose fields are its arguments.

    `is_change`: it changes the champion, so it matters who gives it. `needs_models`: it opens the
    registry of models. `limit_seconds`: after which Databricks stops it.
    """

    name: ClassVar[str]
    is_change: ClassVar[bool] = False
    needs_models: ClassVar[bool] = True
    limit_seconds: ClassVar[int] = 3600

    @abstractmethod
    def run(self, ctx: StepContext, use_case: UseCase) -> T:
        """Do it, with the tables and the registry of the context."""

    def to_record(self) -> dict[str, Json]:
        """The arguments as plain JSON values."""
        return dict(TypeAdapter(type(self)).dump_python(self, mode="json"))

    @classmethod
    def result_record(cls, result: T) -> Any:
        """A result as plain JSON values."""
        return cls._results().dump_python(result, mode="json", fallback=_plain)

    @classmethod
    def result_of(cls, record: Any) -> T:
        """The result that a record was made of."""
        result: T = cls._results().validate_python(record)
        return result

    @classmethod
    def _results(cls) -> TypeAdapter[Any]:
        return TypeAdapter(get_type_hints(cls.run)["return"])


def _plain(value: Any) -> Any:
    """A number of numpy's as Python's, anything else as text."""
    return value.item() if hasattr(value, "item") else str(value)
