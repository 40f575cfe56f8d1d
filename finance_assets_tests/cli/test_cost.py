"""What a partition starts is counted from the steps, and the page says the same."""

from pathlib import Path

import pytest

from finance_assets.cli.cost import minutes, minutes_table, starts, table
from finance_assets.settings import Shape
from finance_assets.use_cases import all_use_cases

PAGE = (Path(__file__).parents[2] / "docs" / "databricks" / "cost.md").read_text()


def test_the_page_has_the_tables_that_the_command_prints():
    """After a wanted change: `finance-assets databricks cost`."""
    assert table(all_use_cases().values()) in PAGE
    for start in (0.5, 4.0):
        assert minutes_table(all_use_cases().values(), start, 0.5) in PAGE


@pytest.mark.parametrize("use_case", all_use_cases().values(), ids=lambda u: u.name)
def test_grouping_saves_starts_and_never_work(use_case):
    found = starts(use_case)
    assert 0 < found.grouped_runs <= found.runs <= found.bundle_tasks
    for shape in Shape:
        single, grouped, _ = minutes(found, shape, start=2.0, work=0.5)
        saved = 0.0 if shape is Shape.existing_cluster else 2.0 * found.saved
        assert single - grouped == pytest.approx(saved)


def test_a_start_that_takes_no_time_leaves_the_work():
    found = starts(next(iter(all_use_cases().values())))
    for shape in Shape:
        single, grouped, bundle = minutes(found, shape, start=0.0, work=1.0)
        assert (single, grouped, bundle) == (found.runs, found.runs, found.bundle_tasks)
