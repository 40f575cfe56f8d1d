"""Layout: texts and SQL as Python code has them, in lines that fit."""

import json
import re

# What fits into a line beside its indentation.
WIDTH, SQL_WIDTH = 68, 84


def as_named(statement: str, name: str) -> str:
    """SQL of a column under a name, which is its own or another."""
    return statement if statement == name else f"{statement} AS {name}"


def text(value: str) -> str:
    """A text as Python writes it: in one piece, or in several that fit into lines."""
    pieces: list[str] = []
    for word in re.findall(r"\S+\s*|\s+", value):
        while len(word) > WIDTH:
            pieces.append(word[:WIDTH])
            word = word[WIDTH:]
        if pieces and len(pieces[-1]) + len(word) <= WIDTH:
            pieces[-1] += word
        else:
            pieces.append(word)
    return "\n".join(map(_literal, pieces)) or '""'


def as_tuple(values: tuple[str, ...]) -> str:
    """Texts as a tuple."""
    inside = ", ".join(map(_literal, values))
    return f"({inside},)" if len(values) == 1 else f"({inside})"


def visible(text: str) -> str:
    """A text whose blanks that are none, and other characters that nobody sees, are escaped."""
    return "".join(c if c.isprintable() or c > "\uffff" else f"\\u{ord(c):04x}" for c in text)


def _literal(value: str) -> str:
    return visible(json.dumps(value, ensure_ascii=False))


def wrapped(statement: str, indent: int) -> str:
    """SQL in lines that fit, broken at blanks outside of quoted text."""
    lines: list[str] = [""]
    for word in re.findall(r"(?:'(?:\\.|[^'\\])*'|[^\s'])+", statement):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > SQL_WIDTH - indent:
            lines.append(word)
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return f"\n{' ' * indent}".join(lines)


def escaped(statement: str) -> str:
    """SQL as it stands between three quotes."""
    return statement.replace("\\", "\\\\").replace('"""', '\\"""')
