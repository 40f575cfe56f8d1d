"""Pictures of the documentation: each is shown by some page, and none is asked for in vain."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
LINK = re.compile(r"\]\(([^)#\s]+\.(?:png|svg))\)")


def test_every_picture_is_linked_and_every_link_leads_to_one():
    linked = {
        (page.parent / target).resolve()
        for page in (ROOT / "README.md", *DOCS.rglob("*.md"))
        for target in LINK.findall(page.read_text())
        if "://" not in target
    }
    assert linked == {file for end in ("png", "svg") for file in DOCS.rglob(f"*.{end}")}
