"""Vocabulary: words that files and languages use, one list a file; a blank within is written _."""

from pathlib import Path


def words(name: str) -> frozenset[str]:
    """The words of a list, in lower case, as they are written and with blanks."""
    text = (Path(__file__).parent / f"{name}.txt").read_text(encoding="utf-8")
    return frozenset(text.split()) | frozenset(word.replace("_", " ") for word in text.split())
