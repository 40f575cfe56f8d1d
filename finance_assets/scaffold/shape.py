"""Shape: whether a text has lines of JSON or of CSV; what looks like either, and is none, is
refused with the command that makes one of it.
"""

import json
import re
from pathlib import Path

from finance_assets.scaffold.request import CannotScaffoldError

HEAD, FIRST_LINES = 1 << 16, 20
# How a list and an object begin that take several lines; a header may begin with a bracket, too.
LIST, OBJECT = re.compile(r"\[\s*[\[{]"), re.compile(r'\{\s*(\}|"[^"]*"\s*:)')


def is_json_lines(path: Path, encoding: str) -> bool:
    """Whether the lines of a text are objects of JSON; else it is for a reader of CSV.

    Raises:
        CannotScaffoldError: it has no lines, or is JSON of another shape.
    """
    with path.open(encoding=encoding, newline="") as stream:
        text = stream.read(HEAD)
    if "\n" not in text and text.strip("\r").count("\r"):
        raise CannotScaffoldError(
            r"its lines end with a carriage return (\r) alone, which no reader of ours takes",
            where=str(path),
            remedy=rf"tr '\r' '\n' < {path.name} > with_lines.csv",
        )
    text = text.lstrip("\ufeff \t\r\n")
    if LIST.match(text):
        raise _other_json(path, "a list of JSON", ".[]")
    if not OBJECT.match(text):
        return False
    lines = text.split("\n")[:FIRST_LINES]
    # A line that is longer than what was read of it is cut.
    if len(lines) > 1 and not any(map(_is_object, lines)):
        raise _other_json(path, "JSON whose objects take several lines each", ".")
    return True


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _other_json(path: Path, what: str, query: str) -> CannotScaffoldError:
    return CannotScaffoldError(
        f"it is {what}, and not one object a line",
        where=str(path),
        remedy=f"jq -c '{query}' {path.name} > {path.stem}.jsonl",
    )
