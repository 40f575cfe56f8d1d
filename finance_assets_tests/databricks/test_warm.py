"""A task that is forked from a warm interpreter is a process of its own, like any other."""

import os
import signal
import sys

import pytest

from finance_assets_tests.databricks.warm import LIBRARIES, WarmInterpreter


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory):
    """One that has imported a library."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": "", "COMMON": "c"}
    log = tmp_path_factory.mktemp("warm") / "warm.log"
    made = WarmInterpreter(environment, log, ["fractions"])
    yield made
    made.close()


@pytest.fixture
def run(interpreter, tmp_path):
    """Start a task; its process, and what it wrote."""

    def start(code, *arguments, **environment):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        output = folder / "stdout", folder / "stderr"
        given = {"PATH": os.environ["PATH"], "PYTHONPATH": "", **environment}
        return interpreter.start(code, arguments, folder, given, output), output

    return start


def test_it_finds_the_library_there_and_the_project_not(run):
    code = "import sys; print('fractions' in sys.modules, 'finance_assets' in sys.modules)"
    task, (out, err) = run(code)
    assert (task.wait(60), out.read_text(), err.read_text()) == (0, "True False\n", "")


def test_it_has_its_own_environment_folder_arguments_and_path(run, tmp_path):
    code = "import os, sys; print(sorted(os.environ), os.getcwd(), sys.argv[1:], sys.path[:2])"
    task, (out, _) = run(code, "a", "b", MINE="m", PYTHONPATH="/nowhere/first")
    assert task.wait(60) == 0
    said = out.read_text()
    assert "MINE" in said
    assert "COMMON" not in said
    assert f"{out.parent} ['a', 'b'] ['', '/nowhere/first']" in said


@pytest.mark.parametrize(
    ("code", "exit_code", "words"),
    [
        ("import sys; sys.exit(7)", 7, ""),
        ("raise SystemExit('no')", 1, "no"),
        ("def f():\n    raise ValueError('bad')\nf()", 1, "ValueError: bad"),
        ("import atexit; atexit.register(print, 'x'); raise KeyError(1)", 1, "KeyError: 1"),
    ],
)
def test_it_ends_as_a_program_does(run, code, exit_code, words):
    task, (_, err) = run(code)
    assert task.wait(60) == exit_code
    assert words in err.read_text()
    assert ("Traceback" in err.read_text()) == ("Error" in words)


def test_it_can_be_killed_with_what_it_started_and_the_next_one_starts(run):
    code = "import subprocess, time; subprocess.Popen(['sleep', '600']); time.sleep(600)"
    task, _ = run(code)
    assert task.poll() is None
    os.killpg(task.pid, signal.SIGKILL)
    assert task.wait(60) == -signal.SIGKILL
    task, _ = run("pass")
    assert task.wait(60) == 0


def test_tasks_run_side_by_side(run, tmp_path):
    meeting = tmp_path / "pipe"
    os.mkfifo(meeting)
    reader, (out, _) = run(f"print(open({str(meeting)!r}).read())")
    writer, _ = run(f"open({str(meeting)!r}, 'w').write('met')")
    assert (reader.wait(60), writer.wait(60)) == (0, 0)
    assert out.read_text() == "met\n"


def test_none_of_the_libraries_starts_a_thread_that_a_fork_would_lose():
    """In a process of its own: this one has threads."""
    import subprocess

    code = (
        "import importlib, sys, threading\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "print(threading.active_count())"
    )
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run(
        [sys.executable, "-c", code, *LIBRARIES], capture_output=True, text=True, env=environment
    )
    assert done.stdout.split()[-1] == "1", done.stderr[-2000:]
