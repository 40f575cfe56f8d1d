"""The one codec of our frozen dataclasses: JSON texts in tables, logs, tags and messages.

Texts are stable (sorted keys), so that equal values have equal digests. Numbers that are none
stay what they are.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from typing_extensions import TypeAliasType

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")
# Whatever JSON can say, where no more is known of it or asked. Lists and objects are only read, so
# that those of one type are Json as well. pydantic needs it by name.
if TYPE_CHECKING:
    Json: TypeAlias = "None | bool | int | float | str | Sequence[Json] | Mapping[str, Json]"
else:
    Json = TypeAliasType(
        "Json", None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
    )


def to_json(value: Any) -> str:
    """A dataclass as text."""
    return json.dumps(asdict(value), sort_keys=True)


def from_json(kind: type[T], text: str) -> T:
    """A dataclass from its text.

    Raises:
        ValueError: it lacks a part, or one is of another type; an older version may have
            written it.
    """
    return of_record(kind, json.loads(text))


def of_record(kind: type[T], record: Json) -> T:
    """A dataclass from what JSON said.

    Raises:
        ValueError: it lacks a part, or one is of another type.
    """
    found: T = adapter(kind).validate_python(record)
    return found


def adapter(kind: Any) -> "TypeAdapter[Any]":
    """What reads and writes a dataclass."""
    return _adapter(kind)


# Apart from the other, as `cache` wants what can be hashed, and mypy does not know it of classes.
@cache
def _adapter(kind: Any) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
