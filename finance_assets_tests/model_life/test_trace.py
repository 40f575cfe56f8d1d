"""A prediction is traced to the very lines that were delivered, whatever came since."""

import csv
import gzip
import random
import shutil

import pytest

from finance_assets.errors import HistoryError, SettingsError
from finance_assets.lakehouse.archive import DeliveryArchive
from finance_assets.lakehouse.sources.csv import Csv
from finance_assets.model_life.contracts import prediction_contract
from finance_assets.model_life.trace import trace
from finance_assets.settings import Settings
from finance_assets.step.arguments import matches, require_key, require_partition
from finance_assets_tests.model_life.models import PREDICTIONS
from finance_assets_tests.model_life.test_model_life import champion_as_of_june
from finance_assets_tests.scenario import (
    APRIL,
    BRONZE,
    CALENDAR,
    FEATURES,
    JULY,
    JUNE,
    MAY,
    MODEL,
    SEPTEMBER,
    SILVER,
    USE_CASE,
    Runner,
    deliver_bytes,
    deliver_sample,
    delivery_path,
)

MONTHS = [APRIL, MAY, JUNE, JULY]


@pytest.fixture(scope="module")
def settled(tmp_path_factory, spark, homes):
    """v1 as of June; July scored."""
    home, landing = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("landing")
    settings = Settings(home=home, landing=landing, git_sha="test")
    settings.prepare_home()
    runner = Runner(settings, spark)
    homes.copy(runner, "champion_as_of_june", champion_as_of_june)
    runner.run(PREDICTIONS, JULY)
    return runner


@pytest.fixture
def scored(settled, tmp_path, spark):
    """A copy of it, in which a test may deliver and delete as it likes."""
    for name in ("home", "landing"):
        shutil.copytree(getattr(settled.settings, name), tmp_path / name)
    changed = {"home": tmp_path / "home", "landing": tmp_path / "landing"}
    return Runner(Settings(**changed, git_sha="test"), spark)


def archive(runner) -> DeliveryArchive:
    return DeliveryArchive(runner.settings.archive_root)


def traced(runner, account: int, partition=JULY):
    return trace(runner.lakehouse, archive(runner), USE_CASE, [f"account_id={account}"], partition)


def lines(found) -> dict[str, list]:
    """The delivered lines by month."""
    return {t.partition: list(t.delivered) for t in found.tables if t.is_delivery}


def accounts(found) -> set[str]:
    texts = [line.text for delivered in lines(found).values() for line in delivered]
    return {text.split(",")[0] for text in texts}


def redeliver_shuffled(runner, month, seed=1):
    """The same rows in another order."""
    path = delivery_path(runner.settings.landing, month)
    header, *rows = gzip.decompress(path.read_bytes()).decode().splitlines()
    random.Random(seed).shuffle(rows)
    deliver_bytes(runner.settings.landing, month, "\n".join([header, *rows, ""]).encode())


def test_a_prediction_is_traced_to_its_lines_before_and_after_redeliveries_in_another_order(scored):
    found = traced(scored, 123)
    assert found.prediction["model_version"] == "1"
    assert [event.event for event in found.events] == ["promoted"]
    features = found.tables[0]
    assert (features.table, features.rows[0]["account_id"]) == (
        FEATURES,
        123,
    )
    assert list(lines(found)) == [MAY, JUNE, JULY]
    for month, [line] in lines(found).items():
        assert line.problem == ""
        assert line.file == delivery_path(scored.settings.landing, month).name
        assert next(csv.reader([line.text]))[:2] == ["123", month]
    for month in MONTHS:
        redeliver_shuffled(scored, month)
    assert scored.run(BRONZE, APRIL, JULY).changed == tuple(MONTHS)
    for account in range(1, 21):
        assert accounts(traced(scored, account)) == {str(account)}
    assert lines(traced(scored, 123)) == lines(found)
    # What is rebuilt from the new order, and scored again, is as it was, and still traced right.
    scored.run_tables(APRIL, JULY)
    scored.run(PREDICTIONS, JULY)
    for account in range(1, 21):
        assert accounts(traced(scored, account)) == {str(account)}


def test_a_trace_after_a_restatement_still_shows_the_versions_that_were_used(scored):
    before = traced(scored, 5)
    deliver_sample(scored.settings.landing, 1900, [JULY])
    scored.run(BRONZE, JULY)
    scored.run(SILVER, JULY)
    assert traced(scored, 5) == before


def test_a_file_that_is_gone_or_altered_is_said_to_be(scored):
    [before] = [t for t in traced(scored, 7).tables if t.is_delivery and t.partition == JUNE]
    place = archive(scored).place(before.sha256)
    packed = place.read_bytes()
    place.write_bytes(packed[:-1])
    [line] = lines(traced(scored, 7))[JUNE]
    assert (line.text, "altered" in line.problem) == (None, True)
    place.unlink()
    [line] = lines(traced(scored, 7))[JUNE]
    assert line.text is None
    assert "gone: expired or deleted" in line.problem
    [other] = lines(traced(scored, 7))[JULY]
    assert other.problem == ""
    # The same rows packed anew stand for it.
    path = delivery_path(scored.settings.landing, JUNE)
    path.write_bytes(gzip.compress(gzip.decompress(packed), 1, mtime=1))
    scored.run(BRONZE, JUNE)
    [line] = lines(traced(scored, 7))[JUNE]
    assert (line.problem, line.text.split(",")[0]) == ("", "7")


def test_a_line_that_is_not_the_stored_row_is_said_to_be(settled, monkeypatch):
    kept = Csv.texts

    def shifted(self, source, copy, wanted):
        lines = kept(self, source, copy, wanted)
        return {number: text.replace(",", ",0", 1) for number, text in lines.items()}

    monkeypatch.setattr(Csv, "texts", shifted)
    [line] = lines(traced(settled, 7))[JUNE]
    assert "is not the stored row" in line.problem


def test_a_delivery_from_before_digests_were_recorded_is_said_to_be(settled, monkeypatch):
    from finance_assets.lakehouse.history import TableHistory

    monkeypatch.setattr(TableHistory, "deliveries_of", lambda *_: [])
    [line] = lines(traced(settled, 7))[JUNE]
    assert "no digest" in line.problem


def test_a_trace_of_nothing_says_what_there_is(settled):
    with pytest.raises(HistoryError, match="no such prediction"):
        traced(settled, 123, APRIL)
    with pytest.raises(HistoryError, match="no such prediction"):
        traced(settled, 999_999)


@pytest.mark.parametrize(
    "text", ["2005-09' OR '1'='1", "zzz", "", "2005-13", "2050-10", "2005-03", "2005-9", "２005-09"]
)
def test_only_partitions_of_the_calendar_reach_a_query(text):
    with pytest.raises(SettingsError, match="no partition of the calendar") as caught:
        require_partition(CALENDAR, text, "--partition")
    assert caught.value.remedy == f"one from {APRIL} to {SEPTEMBER}, written like these"


def test_a_partition_may_lie_after_the_calendar_where_that_is_allowed():
    assert require_partition(CALENDAR, "2005-10", "--from", later=1) == "2005-10"
    with pytest.raises(SettingsError):
        require_partition(CALENDAR, "2005-11", "--from", later=1)


@pytest.mark.parametrize(
    "pairs",
    [
        ["account_id=abc"],
        ["account_id="],
        ["account_id"],
        ["account=1"],
        [],
        ["account_id=1", "account_id=2"],
        ["account_id=1 OR 1=1"],
        ["account_id=१२"],
        ["account_id=99999999999999999999"],
        ["account_id=9999999999999999999"],
        ["account_id=1", "x=1"],
    ],
)
def test_only_whole_keys_of_the_columns_types_reach_a_query(pairs):
    with pytest.raises(SettingsError, match="key|whole number"):
        require_key(prediction_contract(MODEL), pairs)


def test_a_quote_in_a_key_of_text_stays_text():
    bronze = USE_CASE.step(BRONZE).contract
    assert matches(bronze, {"account_id": "x' OR '1'='1"}).endswith("= 'x'' OR ''1''=''1'")
    assert matches(bronze, {"nothing": "1"}) == "false"
