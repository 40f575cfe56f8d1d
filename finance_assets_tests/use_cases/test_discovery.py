"""Use cases are found by looking: in the package, and in those that the setting names."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from finance_assets.assets.metadata import asset_key
from finance_assets.cli.main import app
from finance_assets.cli.play import Progress, play_partition
from finance_assets.compute.databricks.payload import build_wheel, uploaded_wheel
from finance_assets.compute.runner import open_lakehouse
from finance_assets.definitions import build_defs
from finance_assets.errors import DeclarationError, SettingsError
from finance_assets.settings import DatabricksSettings, get_settings
from finance_assets.use_cases import all_use_cases
from finance_assets_tests.outside import CUSTOMERS, MONTHS, write_package

ROOT = Path(__file__).parents[2]


@pytest.fixture
def named(monkeypatch, tmp_path):
    """Set the setting; packages lie in the test's folder."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def name(packages: str) -> None:
        monkeypatch.setenv("FINANCE_ASSETS_USE_CASES", packages)
        get_settings.cache_clear()

    yield name
    get_settings.cache_clear()
    for module in [m for m in sys.modules if m.startswith("outside_")]:
        del sys.modules[module]


def test_every_folder_with_a_use_case_is_found_in_the_order_of_names():
    folders = (ROOT / "finance_assets" / "use_cases").glob("*/use_case.py")
    assert list(all_use_cases()) == sorted(path.parent.name for path in folders)


@pytest.mark.parametrize("package", ["outside_1.cases", "outside_1.cases.calls"])
def test_the_setting_names_a_use_case_or_a_package_of_some(named, tmp_path, package):
    write_package(tmp_path, "outside_1", "calls")
    shipped = list(all_use_cases())
    named(f" {package} , ")
    assert list(all_use_cases()) == [*shipped, "calls"]
    named(f"{package},{package}")
    assert list(all_use_cases()) == [*shipped, "calls"]


def refused(match):
    return pytest.raises(DeclarationError, match=match)


def test_what_cannot_be_loaded_says_why_and_where(named, tmp_path):
    place = write_package(tmp_path, "outside_2", "calls")
    with refused("outside_none cannot be loaded: there is no such package"):
        named("outside_none")
        all_use_cases()
    with refused("outside_2.nothing cannot be loaded: there is no such package"):
        named("outside_2.nothing")
        all_use_cases()
    with refused("outside_2 cannot be loaded: there is no use case in it"):
        named("outside_2")
        all_use_cases()
    with refused("outside_2.shared cannot be loaded: it is a module"):
        named("outside_2.shared")
        all_use_cases()
    (place / "use_case.py").write_text("USE_CASE = 3\n")
    with refused("outside_2.cases.calls.use_case.USE_CASE is a int") as error:
        named("outside_2.cases")
        all_use_cases()
    assert error.value.where == str(place / "use_case.py")


def test_a_package_may_be_named_before_the_first_use_case_is_written_into_it(named, tmp_path):
    cases = tmp_path / "outside_8"
    cases.mkdir()
    (cases / "__init__.py").touch()
    named("outside_8")
    with refused("there is no use case in it"):
        all_use_cases()
    days = ((month, 1 + n % 28, n) for month in range(1, 5) for n in range(300))
    rows = [f"{n},2024-{month:02d}-{day:02d},{n % 7},{n % 5 == 2}" for month, day, n in days]
    file = tmp_path / "parcels.csv"
    file.write_text("\n".join(["parcel,sent,stops,late", *rows]))
    asked = f"new parcel_delays --from {file} --key parcel --time sent --label late --into {cases}"
    done = CliRunner().invoke(app, asked.split())
    assert done.exit_code == 0, done.output
    assert list(all_use_cases())[-1] == "parcel_delays"


def test_a_use_case_that_breaks_while_it_loads_is_named(named, tmp_path):
    place = write_package(tmp_path, "outside_3", "calls")
    (place / "tables.py").write_text("import nothing_of_this_name\n")
    with refused("outside_3.cases.calls.use_case cannot be loaded: ModuleNotFoundError"):
        named("outside_3.cases")
        all_use_cases()
    (tmp_path / "outside_3" / "__init__.py").write_text("1 / 0\n")
    for module in [m for m in sys.modules if m.startswith("outside_3")]:
        del sys.modules[module]
    with refused("outside_3.cases cannot be loaded: ZeroDivisionError"):
        named("outside_3.cases ,")
        all_use_cases()


def test_a_name_or_a_table_that_is_taken_is_refused_with_both_files(named, tmp_path):
    first = write_package(tmp_path, "outside_4", "calls")
    second = write_package(tmp_path, "outside_5", "calls")
    with refused("two use cases are called 'calls'") as error:
        named("outside_4.cases,outside_5.cases")
        all_use_cases()
    assert error.value.where == f"{first / 'use_case.py'} and {second / 'use_case.py'}"


def test_its_code_goes_into_the_wheel_with_everything_that_it_may_import(named, tmp_path):
    write_package(tmp_path, "outside_6", "calls")
    wheel = build_wheel(("outside_6.cases",))
    with zipfile.ZipFile(wheel) as archive:
        names, record = archive.namelist(), archive.read(archive.namelist()[-1]).decode()
    for name in ("__init__", "shared", "cases/__init__", "cases/calls/use_case"):
        assert f"outside_6/{name}.py" in names
        assert f"outside_6/{name}.py,sha256=" in record
    assert f"outside_6/cases/calls/samples/customers_{MONTHS[0]}.csv" in names
    assert not [name for name in names if "__pycache__" in name]
    assert "finance_assets/definitions.py" in names
    build_wheel.cache_clear()
    assert build_wheel(("outside_6.cases",)).read_bytes() == wheel.read_bytes()
    # pip takes no notice of another content under the same version.
    assert build_wheel().name != wheel.name


def test_a_given_wheel_without_the_use_case_is_refused_before_it_is_sent(named):
    given = DatabricksSettings(wheel=build_wheel())
    with pytest.raises(SettingsError, match="does not hold the use cases of outside_7.cases"):
        uploaded_wheel(None, given, ("outside_7.cases",))


def test_render_check_and_wheel_cover_it(tmp_path):
    write_package(tmp_path, "outside_8", "calls")
    for name in ("databricks.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "resources", tmp_path / "resources")
    file = tmp_path / "databricks.yml"
    declared = 'bundle render)"\n    default: '
    file.write_text(file.read_text().replace(f'{declared}""', f"{declared}outside_8.cases"))

    def bundle(*arguments):
        return subprocess.run(
            [Path(sys.executable).with_name("finance-assets"), "bundle", *arguments],
            capture_output=True,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": f"{ROOT}:{tmp_path}",
                "FINANCE_ASSETS_USE_CASES": "outside_8.cases",
            },
        )

    stale = bundle("check", "--root", str(tmp_path))
    assert "calls_pipeline.job.yml is stale" in stale.stdout
    assert "there is no job calls_pipeline" in stale.stdout
    assert bundle("render", "--root", str(tmp_path)).returncode == 0
    assert (tmp_path / "resources" / "calls_pipeline.job.yml").exists()
    good = bundle("check", "--root", str(tmp_path))
    assert good.returncode == 0, good.stdout
    assert bundle("wheel", "--root", str(tmp_path)).returncode == 0
    [wheel] = (tmp_path / "dist").glob("finance_assets-*.whl")
    assert "outside_8/cases/calls/use_case.py" in zipfile.ZipFile(wheel).namelist()


@pytest.mark.slow
def test_it_lives_in_dagster_from_delivery_to_drift(named, tmp_path, settings, monkeypatch, spark):
    write_package(tmp_path, "outside_9", "calls")
    monkeypatch.delenv("FINANCE_ASSETS_LANDING")
    named("outside_9.cases")
    get_settings().prepare_home()
    use_case, quiet = all_use_cases()["calls"], Progress(lambda *_: None, lambda *_: None)
    defs = build_defs()
    with dg.DagsterInstance.ephemeral() as instance:
        for month in MONTHS:
            play_partition(defs, instance, use_case, month, quiet)
        for step in use_case.pipeline_steps:
            done = instance.get_materialized_partitions(asset_key(step.key))
            assert done == set(MONTHS), step.key
    lakehouse = open_lakehouse(get_settings(), lambda: spark)
    scored = lakehouse.history("predictions.calls_predictions").rows()
    by_month = {month: sum(r["delivered_for"] == month for r in scored) for month in MONTHS}
    assert by_month[MONTHS[-1]] == CUSTOMERS
    assert lakehouse.history("monitoring.calls_drift").rows()
