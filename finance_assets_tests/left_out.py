"""Left out: the tests of what a machine may lack, by their marker. In CI none is."""

import ctypes
import os
import re
import shutil
import subprocess
import sys


def java_version() -> int:
    """Major version of the Java on the PATH, 0 without one."""
    if shutil.which("java") is None:
        return 0
    done = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', done.stderr)
    return int(found.group(1)) if found else 0


def has_java() -> bool:
    """Whether there is a Java that Spark takes."""
    return java_version() >= 17


def has_openmp() -> bool:
    """Whether there is the OpenMP runtime that LightGBM's wheel for Linux expects of the system."""
    if sys.platform != "linux":
        return True
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError:
        return False
    return True


# What tests with a marker need, and why they are skipped without it.
NEEDED = {
    "jvm": (has_java, "engine=spark needs Java 17 or newer on the PATH"),
    "lightgbm": (
        has_openmp,
        "LightGBM needs the system's OpenMP runtime (apt-get install libgomp1)",
    ),
}


def left_out(markers: set[str]) -> dict[str, str]:
    """Why tests are skipped, by those of their markers for which something is missing."""
    if os.environ.get("CI"):
        return {}
    asked = {name: NEEDED[name] for name in sorted(markers & set(NEEDED))}
    return {name: reason for name, (is_there, reason) in asked.items() if not is_there()}
