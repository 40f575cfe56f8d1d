"""Commands as values: through JSON and back, and changes that are made once."""

import json
from dataclasses import replace

import pytest

from finance_assets.commands.champion import Accept, Approve, Histories, History, RollBack
from finance_assets.commands.maintain import Maintain
from finance_assets.commands.models import Trace
from finance_assets.commands.registry import ALL, command_of
from finance_assets.commands.rejects import Rejects
from finance_assets.compute.databricks.tasks import command_payload
from finance_assets.compute.runner import open_context
from finance_assets.errors import FinanceAssetsError, GoneError, ModelError, SettingsError, revived
from finance_assets_tests.model_life.models import events
from finance_assets_tests.model_life.test_decisions import champions_as_of_june_and_august
from finance_assets_tests.model_life.test_model_life import EASY
from finance_assets_tests.scenario import USE_CASE

ARGUMENTS = [
    Approve("2", "it's «good»; {{job.id}} {{{{", expect="v1"),
    RollBack('a "reason"\nof two lines'),
    Accept("restored", {"Dagster": "2:abc"}),
    History(),
    Trace(("account_id=1", "month={{x}}"), "2005-07"),
    Rejects("2005-07", "silver.{{x}}", 3),
    Maintain(is_dry_run=True),
]


def test_every_command_has_a_name_of_its_own():
    assert len({command.name for command in ALL}) == len(ALL) == 11


@pytest.mark.parametrize("command", ARGUMENTS, ids=lambda c: c.name)
def test_a_task_gets_the_arguments_that_were_given_and_no_reference_to_fill_in(command):
    [*_, line] = [command_payload(command, ["u"], "run", ["env=dev"], "ada")["python_wheel_task"]]
    given = line["parameters"]
    assert not [part for part in given if "{{" in part]
    arguments = json.loads(given[given.index("--arguments") + 1])
    assert command_of(command.name, arguments) == command


def test_what_cannot_be_a_command_is_said_to_be_none():
    with pytest.raises(SettingsError, match="there is no command 'drop'"):
        command_of("drop", {})
    with pytest.raises(SettingsError, match="does not take these arguments"):
        command_of("card", {"versions": "1"})


def test_an_error_from_afar_is_of_its_own_kind_if_that_is_known():
    assert type(revived("GoneError", "a", "b", "c")) is GoneError
    assert type(revived("MessageError", "a", "b", "c")) is FinanceAssetsError
    assert type(revived("revived", "a", "b", "c")) is FinanceAssetsError


@pytest.fixture
def two_champions(runner, homes):
    """v1 as of June, v2 as of August."""
    homes.copy(runner, "two_champions", champions_as_of_june_and_august)
    return runner


def of_run(runner, run_id):
    """The context of a command in a run."""
    return open_context(
        runner.settings, lambda: runner.spark, run_id=run_id, report=lambda text: None
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "number"),
    [(RollBack("it is odd", to="previous"), "1"), (Approve("champion", "it is good"), "2")],
    ids=lambda given: str(given),
)
def test_the_champion_is_changed_by_number_for_an_alias_may_be_another_by_then(
    two_champions, command, number
):
    ctx = of_run(two_champions, "cli-1")
    with pytest.raises(ModelError, match=rf"by its number[\s\S]* then give {number}"):
        command.run(ctx, replace(USE_CASE, model=EASY))
    assert len(events(two_champions)) == 2
    rolled_back = RollBack("it is odd", to="v1").run(ctx, replace(USE_CASE, model=EASY))
    assert rolled_back.event.model_version == "1"


@pytest.mark.slow
def test_a_rollback_that_is_run_again_behind_our_back_does_not_take_itself_back(two_champions):
    easy = replace(USE_CASE, model=EASY)

    def run(run_id):
        ctx = of_run(two_champions, run_id)
        return ctx, RollBack("it is odd").run(ctx, easy)

    (_, first), (_, again) = run("cli-1"), run("cli-1")
    assert first.event == again.event
    assert events(two_champions)[2:] == [("rolled_back", "1", "2")]
    ctx, _ = run("cli-2")
    assert events(two_champions)[3:] == [("rolled_back", "2", "1")]
    found = History().run(ctx, easy)
    assert isinstance(found, Histories)
    assert History.result_of(json.loads(json.dumps(History.result_record(found)))) == found
