"""LightGBM on a machine without the OpenMP runtime that its wheel expects of the system."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import numpy as np
from finance_assets.errors import ModelError
from finance_assets.ml.families import FAMILIES, Objective
for name in ("xgboost", "lightgbm"):
    family = FAMILIES[name]
    params = family.fixed(Objective())
    try:
        family.fit(params, 1, np.eye(4), np.arange(4) % 2, ("a", "b", "c", "d"))
        print(name, "fits")
    except ModelError as error:
        print(error.what, error.where, error.remedy, sep="\\n")
"""


def test_without_its_runtime_lightgbm_says_what_to_install_and_the_other_family_fits(tmp_path):
    """A copy of the package whose library asks for a runtime that no machine has."""
    installed = Path(importlib.util.find_spec("lightgbm").origin).parent
    shutil.copytree(installed, tmp_path / "lightgbm")
    found = list((tmp_path / "lightgbm").rglob("lib_lightgbm.so"))
    if not found or b"libgomp.so.1\0" not in found[0].read_bytes():
        pytest.skip("this wheel asks for no libgomp")
    found[0].write_bytes(found[0].read_bytes().replace(b"libgomp.so.1\0", b"libgomp.so.0\0"))
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=True,
    )
    fits, what, where, remedy = done.stdout.splitlines()
    assert fits == "xgboost fits"
    assert what.startswith("family 'lightgbm' cannot be loaded: libgomp.so.0: cannot open shared")
    assert where == "package lightgbm"
    assert "apt-get install libgomp1" in remedy
    assert "family='xgboost', which brings its own" in remedy
