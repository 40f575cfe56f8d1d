"""A browser without a screen: Debian's Chromium opens pages as a person would, scripts and all."""

import shutil
import subprocess
import tempfile
from pathlib import Path

# Time as the page has it: what it fetches is waited for, whatever the machine is doing.
PAGE_MILLIS = 30_000


def chromium() -> str | None:
    """The browser, if there is one."""
    return shutil.which("chromium") or shutil.which("google-chrome")


def page(url: str, shot: Path | None = None) -> str:
    """What the page at a URL holds once its scripts have run; `shot`: and what it looks like."""
    program = chromium()
    assert program is not None, "ask chromium() first"
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1400,900"]
    with tempfile.TemporaryDirectory(prefix="chromium", ignore_cleanup_errors=True) as profile:
        options += [f"--user-data-dir={profile}", f"--virtual-time-budget={PAGE_MILLIS}"]
        wanted = f"--screenshot={shot}" if shot else "--dump-dom"
        done = subprocess.run(
            [program, *options, wanted, url], capture_output=True, text=True, timeout=300
        )
    return done.stdout
