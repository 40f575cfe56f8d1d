"""What is shown of use cases that run, and which of them begins."""

import io
from copy import copy

from rich.console import Console

from finance_assets.cli.display import Display
from finance_assets.cli.events import Began, Ended, SensorSpoke, StepBegan, StepEnded
from finance_assets.cli.render import render_use_case
from finance_assets.cli.side_by_side import biggest_first, room
from finance_assets.commands.state import ScoredState, State
from finance_assets.errors import RunFailedError
from finance_assets_tests.scenario import APRIL, MAY, USE_CASE

STEPS = (StepBegan("a.b"), StepEnded(), StepBegan("c.d"), StepEnded())


def shown(*told, several):
    """The lines of a log."""
    written = io.StringIO()
    with Display(Console(file=written, width=120), several=several) as display:
        for name, event in told:
            if isinstance(event, Exception):
                display.fail(name, event)
            else:
                display.show(name, event)
    return [line.strip() for line in written.getvalue().splitlines() if line.strip()]


def played(name, partition):
    spoke = SensorSpoke(partition, "nothing to do")
    return [(name, event) for event in (Began(partition, 2), *STEPS, spoke, Ended())]


def test_of_several_use_cases_each_line_names_its_own_in_the_order_of_time():
    a, b = played("a", APRIL), played("b", MAY)
    turns = [told for pair in zip(a, b, strict=True) for told in pair]
    lines = shown(*turns, *played("a", MAY), several=True)
    assert [line.split(" ━")[0] for line in lines] == [
        f"a, sensor after {APRIL}: nothing to do",
        f"b, sensor after {MAY}: nothing to do",
        f"a {APRIL}",
        f"b {MAY}",
        f"a, sensor after {MAY}: nothing to do",
        f"a {MAY}",
    ]
    assert all("done" in line for line in lines if "━" in line)


def test_of_one_use_case_the_bars_stand_together_below_what_was_said():
    lines = shown(*played("a", APRIL), *played("a", MAY), several=False)
    assert [line.split(" ━")[0] for line in lines] == [
        f"sensor after {APRIL}: nothing to do",
        f"sensor after {MAY}: nothing to do",
        f"a {APRIL}",
        f"a {MAY}",
    ]


def test_a_failure_shows_where_it_stopped_and_the_first_line_of_why():
    error = RunFailedError("[no] rows\nmore", where="here", remedy="there")
    told = [("a", Began(APRIL, 2)), ("a", StepBegan("a.b")), ("a", error), *played("b", MAY)]
    lines = shown(*told, several=True)
    assert f"a {APRIL}" in lines[0]
    assert "failed" in lines[0]
    assert lines[1] == "a failed: [no] rows"
    assert lines[-1].startswith(f"b {MAY}")


def test_the_biggest_deliveries_begin(settings):
    sizes = {"small": 10, "big": 5000, "none": 0, "middle": 300}
    for name, size in sizes.items():
        if size:
            (settings.landing / name / "deep").mkdir(parents=True)
            (settings.landing / name / "deep" / "file.csv").write_bytes(b"x" * size)
    chosen = {name: copy(USE_CASE) for name in sizes}
    for name, use_case in chosen.items():
        object.__setattr__(use_case, "name", name)
    assert biggest_first(chosen, settings) == ["big", "middle", "small", "none"]
    assert room() >= 1


def test_of_many_scored_partitions_the_newest_are_listed_and_the_others_counted():
    written, scored = io.StringIO(), {f"d{place:03}": ScoredState(1, "1") for place in range(40)}
    nothing = State([], [], {}, {}, None, [], [], [], predictions=scored, drift={}, not_measured=[])
    render_use_case(Console(file=written, width=120), "a", nothing)
    assert "(the newest 24 of 40 partitions)" in written.getvalue()
    assert [f"d{place:03}" in written.getvalue() for place in (15, 16, 39)] == [False, True, True]
