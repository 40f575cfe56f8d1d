"""The data dictionary in docs/ is the one that the contracts give."""

from pathlib import Path

from finance_assets.cli.dictionary import data_dictionary
from finance_assets.use_cases import all_use_cases

DOCUMENT = Path(__file__).parents[2] / "docs" / "data_dictionary.md"


def test_the_committed_dictionary_is_current():
    """After a wanted change: finance-assets dictionary > docs/data_dictionary.md."""
    assert DOCUMENT.read_text() == data_dictionary(all_use_cases())
