"""Every accepted delivery is kept byte for byte, and no delivery stands for two partitions."""

import gzip
import hashlib
import os
import time
from dataclasses import replace

import pytest

from finance_assets.errors import DeliveryError, SettingsError
from finance_assets.lakehouse.archive import DeliveryArchive
from finance_assets.lakehouse.publication import Publication
from finance_assets.settings import Settings, get_settings
from finance_assets.steps.ingest import ingest_step
from finance_assets_tests.scenario import (
    APRIL,
    BRONZE,
    DELIVERY,
    JUNE,
    MAY,
    NAME,
    SAMPLES,
    Runner,
    contract,
    deliver,
    deliver_sample,
    delivery_path,
    statements,
)


def kept(settings) -> set[str]:
    """The digests of the files that are kept; each file must be what it is called."""
    files = [path for path in settings.archive_root.rglob("*") if path.is_file()]
    for path in files:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    return {path.name for path in files}


def delivered(runner, month):
    """What the partition was ingested from, as recorded."""
    return runner.lakehouse.history(BRONZE).deliveries()[month]


def rows_of(settings, month) -> str:
    return gzip.decompress(delivery_path(settings.landing, month).read_bytes()).decode()


def refusal(runner, *window) -> DeliveryError:
    before = runner.lakehouse.history(BRONZE).version
    with pytest.raises(DeliveryError) as caught:
        runner.run(BRONZE, *window)
    assert runner.lakehouse.history(BRONZE).version == before
    return caught.value


def test_an_accepted_delivery_is_kept_and_its_digest_recorded(runner, settings):
    path = deliver(settings.landing, APRIL, *statements(APRIL))
    runner.run(BRONZE, APRIL)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert kept(settings) == {digest}
    assert delivered(runner, APRIL).sha256 == digest
    runner.run(BRONZE, APRIL)
    assert kept(settings) == {digest}


def test_each_redelivery_is_kept_beside_the_first(runner, settings):
    digests = set()
    for count in (3, 4):
        deliver(settings.landing, APRIL, *statements(APRIL, count))
        runner.run(BRONZE, APRIL)
        digests.add(delivered(runner, APRIL).sha256)
    assert len(digests) == 2
    assert kept(settings) == digests


def test_a_refused_delivery_is_not_kept(runner, settings):
    deliver(settings.landing, APRIL)
    with pytest.raises(DeliveryError):
        runner.run(BRONZE, APRIL)
    assert kept(settings) == set()


def test_the_same_rows_packed_anew_are_kept_and_recorded_without_a_new_version_of_the_rows(
    runner, settings
):
    path = deliver(settings.landing, APRIL, *statements(APRIL))
    first = runner.run(BRONZE, APRIL).publication
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 1, mtime=1))
    again = runner.run(BRONZE, APRIL)
    assert (again.changed, again.publication) == ((), first)
    assert len(kept(settings)) == 2
    newest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert delivered(runner, APRIL).sha256 == newest


@pytest.mark.parametrize(
    ("disguise", "word"),
    [
        (lambda packed, text: packed, "byte for byte"),
        (lambda packed, text: gzip.compress(text.encode(), 1, mtime=1), "row for row"),
        (
            lambda packed, text: gzip.compress(
                "\n".join([text.split("\n")[0], *reversed(text.split("\n")[1:-1]), ""]).encode()
            ),
            "row for row",
        ),
        (
            lambda packed, text: gzip.compress(text.replace(APRIL, MAY).encode()),
            "but for the partition",
        ),
        (
            lambda packed, text: gzip.compress(text.replace(f",{APRIL},", f", {MAY} ,").encode()),
            None,
        ),
    ],
    ids=["copied", "packed anew", "in another order", "month changed", "blanks added"],
)
def test_the_delivery_of_another_month_is_refused(runner, settings, disguise, word):
    path = deliver(settings.landing, APRIL, *statements(APRIL, 9))
    runner.run(BRONZE, APRIL)
    packed = disguise(path.read_bytes(), rows_of(settings, APRIL))
    delivery_path(settings.landing, MAY).write_bytes(packed)
    error = refusal(runner, MAY)
    assert f"the delivery for {MAY} is the one for {APRIL}" in error.what
    assert (word or "but for the partition") in error.what
    assert "the card processor" in error.remedy
    assert len(kept(settings)) == 1


def test_two_months_of_one_backfill_with_the_same_rows_are_refused(runner, settings):
    for month in (APRIL, MAY):
        deliver(settings.landing, month, *statements(month))
    assert f"the delivery for {MAY} is the one for {APRIL}" in refusal(runner, APRIL, MAY).what


def test_a_month_that_was_corrected_no_longer_blocks_the_month_whose_rows_it_held(runner, settings):
    mays = statements(MAY, 5)
    deliver(settings.landing, APRIL, *(replace(s, statement_month=APRIL) for s in mays))
    deliver(settings.landing, MAY, *mays)
    runner.run(BRONZE, APRIL)
    error = refusal(runner, MAY)
    assert f"have {APRIL} delivered again" in error.remedy
    deliver(settings.landing, APRIL, *statements(APRIL, 6))
    runner.run(BRONZE, APRIL)
    assert runner.run(BRONZE, MAY).changed == (MAY,)


@pytest.mark.parametrize("order", [(APRIL, MAY), (MAY, APRIL)])
def test_months_that_came_under_each_others_names_are_put_right_one_by_one(runner, settings, order):
    rows = {APRIL: statements(APRIL, 3), MAY: statements(MAY, 4)}
    for month, other in ((APRIL, MAY), (MAY, APRIL)):
        deliver(settings.landing, month, *rows[other])
    runner.run(BRONZE, APRIL, MAY)
    first, second = order
    deliver(settings.landing, first, *rows[first])
    assert f"have {second} delivered again" in refusal(runner, first).remedy
    deliver(settings.landing, second, *rows[second])
    for month in order:
        assert runner.run(BRONZE, month).changed == (month,)


def test_months_that_swap_their_deliveries_in_one_run_are_fine(runner, settings):
    first, second = statements(APRIL, 3), statements(APRIL, 4)
    for months in ((APRIL, MAY), (MAY, APRIL)):
        for month, rows in zip(months, (first, second), strict=True):
            deliver(settings.landing, month, *(replace(s, statement_month=month) for s in rows))
        assert runner.run(BRONZE, APRIL, MAY).publication is not None


def test_a_source_that_may_repeat_itself_says_so(runner, settings):
    spec = replace(DELIVERY, may_repeat=True)
    step = ingest_step(NAME, spec, contract(BRONZE), SAMPLES)
    for month in (APRIL, MAY):
        deliver(settings.landing, month, *statements(month))
    assert runner.run(BRONZE, APRIL, MAY, step=step).changed == (APRIL, MAY)


def test_the_shipped_months_are_all_different(runner, settings):
    deliver_sample(settings.landing, 500, [APRIL, MAY, JUNE])
    assert runner.run(BRONZE, APRIL, JUNE).changed == (APRIL, MAY, JUNE)


def test_a_file_that_cannot_be_archived_fails_the_ingestion(runner, settings, monkeypatch):
    deliver(settings.landing, APRIL, *statements(APRIL))
    settings.archive_root.parent.mkdir(parents=True, exist_ok=True)
    settings.archive_root.write_text("a file where the folder should be")
    error = refusal(runner, APRIL)
    assert "cannot be archived" in error.what
    assert "FINANCE_ASSETS_ARCHIVE" in error.remedy


def test_an_archive_that_fills_up_fails_the_ingestion_and_leaves_no_half_file(
    runner, settings, monkeypatch
):
    deliver(settings.landing, APRIL, *statements(APRIL))

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left" in refusal(runner, APRIL).what
    assert kept(settings) == set()


def test_the_archive_lies_where_the_setting_says(tmp_path, spark, monkeypatch):
    monkeypatch.setenv("FINANCE_ASSETS_ARCHIVE", str(tmp_path / "volume"))
    monkeypatch.setenv("FINANCE_ASSETS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FINANCE_ASSETS_LANDING", str(tmp_path))
    settings = Settings()
    settings.prepare_home()
    deliver(tmp_path, APRIL, *statements(APRIL))
    Runner(settings, spark).run(BRONZE, APRIL)
    assert settings.archive_root == tmp_path / "volume"
    assert len(kept(settings)) == 1
    assert Settings(storage=tmp_path / "staging", archive=None).archive_root != settings.root


def test_files_expire_after_the_days_that_are_set(runner, settings, monkeypatch):
    deliver(settings.landing, APRIL, *statements(APRIL))
    deliver(settings.landing, MAY, *statements(MAY, 5))
    monkeypatch.setitem(settings.__dict__, "archive_days", 30)
    runner.run(BRONZE, APRIL)
    old = DeliveryArchive(settings.archive_root).place(delivered(runner, APRIL).sha256)
    long_ago = time.time() - 31 * 86_400
    os.utime(old, (long_ago, long_ago))
    runner.run(BRONZE, MAY)
    assert kept(settings) == {delivered(runner, MAY).sha256}
    # Delivered again, it is kept again.
    runner.run(BRONZE, APRIL)
    assert old.exists()


@pytest.mark.parametrize("days", ["0", "-1", "soon"])
def test_days_that_are_none_are_refused(monkeypatch, days):
    monkeypatch.setenv("FINANCE_ASSETS_ARCHIVE_DAYS", days)
    get_settings.cache_clear()
    with pytest.raises(SettingsError, match="ARCHIVE_DAYS"):
        get_settings()
    get_settings.cache_clear()


def test_a_publication_from_before_deliveries_were_recorded_is_read(runner, settings):
    import json

    deliver(settings.landing, APRIL, *statements(APRIL))
    record = json.loads(runner.run(BRONZE, APRIL).publication.to_json())
    for name in ("deliveries", "made_from", "is_confirmation"):
        del record[name]
    old = Publication.from_json(json.dumps(record), 1)
    assert (old.deliveries, old.made_from, old.is_confirmation) == ({}, {}, False)


def test_rows_and_bytes_of_a_large_file_are_read_in_pieces(tmp_path):
    big = tmp_path / "big"
    with big.open("wb") as stream:
        stream.truncate(3_000_000)
    archive = DeliveryArchive(tmp_path / "archive")
    with archive.incoming() as folder:
        place = archive.keep(archive.receive(big, folder))
    assert place.stat().st_size == 3_000_000
    assert archive.problem(place.name) == ""
    place.write_bytes(b"x")
    assert "altered" in archive.problem(place.name)
    place.unlink()
    assert "gone" in archive.problem(place.name)
    assert not list((tmp_path / "archive" / "_incoming").iterdir())
