"""Garbage is looked for rarely by our processes, and as ever by those of others."""

import subprocess
import sys

from finance_assets_tests.scenario import clean_environment

COLLECTED = """
import gc
import finance_assets.steps.model_steps
ours_alone = gc.get_threshold()
import finance_assets.definitions
print(ours_alone == (700, 10, 10), gc.get_threshold()[0] > 10_000)
"""


def test_who_imports_the_package_keeps_its_garbage_collection_and_a_code_location_has_ours(
    tmp_path,
):
    done = subprocess.run(
        [sys.executable, "-c", COLLECTED],
        env=clean_environment(FINANCE_ASSETS_HOME=str(tmp_path)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["True", "True"]
