"""Beside each data set that ships stands where it comes from."""

import re
from pathlib import Path

import pytest

from finance_assets.scaffold.place import SHIPPED

SCRIPTS = sorted(SHIPPED.glob("*/prepare_deliveries.py"), key=str)


@pytest.mark.parametrize("script", SCRIPTS, ids=[path.parent.name for path in SCRIPTS])
def test_a_data_set_names_its_licence_and_the_digest_of_what_was_reshaped(script: Path):
    said = (script.parent / "samples" / "ATTRIBUTION.md").read_text()
    [digest] = re.findall(r'_SHA256 = "(\w{64})"', script.read_text())
    shown = [part.split("…") for part in re.findall(r"sha256\s+`(\w+…\w+)`", said)]
    assert any(digest.startswith(first) and digest.endswith(last) for first, last in shown)
    assert re.search("licence|allows\nfree reuse", said, re.IGNORECASE)
