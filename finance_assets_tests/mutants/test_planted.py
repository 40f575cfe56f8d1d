"""The list of faults keeps up with the code; that they are noticed is `make mutants`' business."""

from collections import Counter

import pytest

from finance_assets_tests.mutants.mutant import ROOT, Mutant
from finance_assets_tests.mutants.planted import MUTANTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{m.file}: {m.after[:40]}")
def test_a_fault_can_be_planted_and_what_it_leaves_is_still_python(mutant):
    compile(mutant.planted(), mutant.file, "exec")
    for test in mutant.tests.split():
        path, _, function = test.partition("::")
        text = (ROOT / "finance_assets_tests" / path).read_text()
        assert f"def {function}" in text, test


def test_no_fault_is_planted_twice_and_no_part_is_left_out():
    assert max(Counter(MUTANTS).values()) == 1
    parts = {mutant.file.split("/")[0] for mutant in MUTANTS}
    assert parts >= {"calendar", "lakehouse", "ml", "model_life", "monitoring", "steps", "assets"}
    assert len(MUTANTS) >= 60


def test_a_text_that_is_no_longer_there_is_said():
    stale = Mutant("errors.py", "what was there once", "", "")
    with pytest.raises(ValueError, match="errors.py has 0 times 'what was there once'"):
        stale.planted()
