"""Whatever a person types, and whatever is damaged: one clear error, exit 1, no stack trace."""

import pytest
from typer.testing import CliRunner

from finance_assets.cli.main import app
from finance_assets.settings import get_settings
from finance_assets_tests.scenario import APRIL, CHAMPION_HISTORY, NAME, SILVER, deliver_sample

WRITTEN = [SILVER, CHAMPION_HISTORY]
TRACE = ["trace", NAME, "--key", "account_id=1", "--partition", APRIL]
OF_MODELS = [
    ["card", NAME, "1"],
    ["reproduce", NAME, "1"],
    ["approve", NAME, "1", "--reason", "why"],
]


def refused(*arguments: str) -> str:
    """Run a command that must fail; what it says."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output
    assert "where:" in result.output
    assert "remedy:" in result.output
    return result.output


@pytest.fixture
def started(runner, settings):
    """A home in which the tables of April were built."""
    deliver_sample(settings.landing, 20, [APRIL])
    runner.run_tables(APRIL)
    return runner


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*TRACE[:-1], "2005-09' OR '1'='1"], "no partition of the calendar"),
        ([*TRACE[:-1], "zzz"], "no partition of the calendar"),
        ([*TRACE[:3], "account_id=abc", *TRACE[4:]], "not a whole number"),
        ([*TRACE[:3], "account_id", *TRACE[4:]], "not a whole number"),
        ([*TRACE[:3], "x=1", *TRACE[4:]], "does not name"),
        ([TRACE[0], "nothing", *TRACE[2:]], "no use case"),
        (["rollback", NAME, "--reason", "x", "--from", "zzz"], "nothing to roll back"),
        (["card", NAME, "9" * 30], "no version of a model"),
        (["card", NAME, "٣"], "no version of a model"),
        (["card", NAME, "x' OR '1'='1"], "no version has the alias"),
        (["card", NAME, "champion"], "or one of: none yet"),
        (["approve", NAME, "7", "--reason", "b"], "has no such version"),
        (["run", "--use-case", NAME, "--through", "2005-09' OR"], "no partition"),
        (["run", "--use-case", "x"], "no use case"),
        (["status", "--use-case", "x"], "no use case"),
        (["history", "x"], "no use case"),
    ],
    ids=str,
)
def test_what_is_typed_is_checked(settings, arguments, words):
    assert words in refused(*arguments).replace("\n", " ")


@pytest.mark.parametrize("command", OF_MODELS, ids=lambda c: c[0])
def test_an_mlflow_store_that_is_no_database_is_said_to_be(settings, command):
    (settings.root / "mlflow" / "mlflow.db").write_text("no database")
    output = refused(*command)
    assert "StoreError" in output
    assert "mlflow.db" in output


def damage(started, table, how):
    """Damage a table's newest log entry, or create a damaged table."""
    log = started.lakehouse.path(table) / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    entries = sorted(log.glob("*.json")) or [log / f"{0:020d}.json"]
    entries[-1].write_bytes(how)


@pytest.mark.parametrize(
    "how", [b"", b"{not json", b"\xff\xfe\x00"], ids=["empty", "text", "bytes"]
)
@pytest.mark.parametrize("table", WRITTEN)
def test_a_damaged_log_is_said_to_be_and_read_as_nothing_by_no_command(started, table, how):
    damage(started, table, how)
    commands = [["status"]]
    if table == WRITTEN[1]:
        commands.append(["history", NAME])
    for command in commands:
        output = refused(*command)
        assert "cannot be read" in output
        assert table in output


def test_lost_data_files_are_said_to_be(started, settings):
    from finance_assets.errors import HistoryError
    from finance_assets.lakehouse.folder import FolderTable

    silver = started.lakehouse.path(WRITTEN[0])
    for file in silver.rglob("*.parquet"):
        file.unlink()
    with pytest.raises(HistoryError, match="cannot be read"):
        FolderTable(WRITTEN[0], silver).rows()


def test_a_run_over_a_damaged_log_fails_in_a_line(started, settings):
    damage(started, WRITTEN[0], b"{not json")
    output = refused("run", "--use-case", NAME, "--through", APRIL)
    assert SILVER in output
    assert "File " not in output


def test_a_dagster_instance_that_is_no_database_is_said_to_be(settings):
    history = settings.dagster_home / "history"
    history.mkdir(parents=True, exist_ok=True)
    (history / "runs.db").write_text("no database")
    assert "StoreError" in refused("run", "--use-case", NAME, "--through", APRIL)


def test_a_mistake_of_ours_keeps_its_stack_trace(settings, monkeypatch):
    from finance_assets.cli import status

    def broken(*_):
        raise KeyError("oops")

    monkeypatch.setattr(status, "show_status", broken)
    result = CliRunner().invoke(app, ["status"])
    assert isinstance(result.exception, KeyError)


@pytest.mark.parametrize("arguments", [["history", NAME, "--verify"], ["accept", NAME]], ids=str)
def test_where_nothing_was_run_looking_makes_no_store(tmp_path, monkeypatch, arguments):
    home = tmp_path / "never"
    monkeypatch.setenv("FINANCE_ASSETS_HOME", str(home))
    get_settings.cache_clear()
    more = ["--reason", "why"] if arguments[0] == "accept" else []
    try:
        assert "nothing was run here yet" in refused(*arguments, *more)
    finally:
        get_settings.cache_clear()
    assert not home.exists()
