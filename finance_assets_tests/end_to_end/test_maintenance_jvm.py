"""Index, checkpoint and maintenance on the JVM: tables of a catalog, and tables in folders."""

import json

import pytest

PLAY = """
import json
from dataclasses import replace
from finance_assets.compute.sessions import open_session
from finance_assets.lakehouse import audit, log_index, recent
from finance_assets.lakehouse.homes import CatalogHome, FolderHome
from finance_assets.lakehouse.integrity import altered_partitions, unproven_alterations
from finance_assets.lakehouse.maintenance import maintain_table
from finance_assets.lakehouse.publish import publish
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.settings import get_settings
from finance_assets_tests.scenario import APRIL, MAY
from finance_assets_tests.lakehouse.things import BOTH, ORIGIN, THINGS, propose

settings = get_settings()
settings.prepare_home()
spark = open_session(settings)
# Tables of ten rows, many small jobs: Spark's and Delta's defaults are for others.
spark.conf.set("spark.sql.shuffle.partitions", "2")
spark.conf.set("spark.databricks.delta.snapshotPartitions", "2")
# VACUUM lists folders in so many tasks; the default is 10,000.
spark.conf.set("spark.sql.sources.parallelPartitionDiscovery.parallelism", "2")
log_index.renew_index.__defaults__ = (3,)
ROWS = [(n, month, float(n)) for n in range(1, 6) for month in (APRIL, MAY)]

def put(lakehouse, rows):
    proposal = propose(lakehouse, rows, BOTH)
    return publish(lakehouse, replace(proposal, rows=proposal.rows.repartition(3, "id")), ORIGIN)

def played(lakehouse):
    table = THINGS.table
    contents = {}
    for shift in range(3):
        put(lakehouse, [(n, month, value + shift) for n, month, value in ROWS])
        stored = lakehouse.table(table)
        contents[stored.version] = audit.fingerprints(lakehouse.read(THINGS), THINGS)
    history = lakehouse.history(table)
    indexed = len(history.reading.indexed)
    before = [p.to_json() for p in history.publications]
    done = maintain_table(lakehouse, table)
    again = maintain_table(lakehouse, table)
    dry = maintain_table(lakehouse, table, is_dry_run=True)
    history = lakehouse.history(table)
    then = {v: audit.fingerprints(lakehouse.read(THINGS, version=v), THINGS) for v in contents}
    last = [(n, month, value + 2) for n, month, value in ROWS]
    proven = unproven(lakehouse)
    return {
        "proven": proven,
        "indexed": indexed,
        "same_publications": [p.to_json() for p in history.publications] == before,
        "without_index": full(lakehouse),
        "foreign": history.foreign_versions,
        "altered": altered_partitions(lakehouse, THINGS, BOTH),
        "files": [done.before.files, done.after.files, again.after.files, dry.after.files],
        "problems": [done.problem, again.problem],
        "time_travel": then == contents,
        "republished": list(put(lakehouse, last).changed),
        "changed": list(put(lakehouse, ROWS).changed),
        "around_us": around_us(lakehouse),
    }

# Partitions that hold other rows than were published, and how often rows were read for it.
def unproven(lakehouse):
    read, real = [], Lakehouse.read
    Lakehouse.read = lambda *given: read.append(given) or real(*given)
    try:
        return unproven_alterations(lakehouse, THINGS, BOTH), len(read)
    finally:
        Lakehouse.read = real

# The same once somebody wrote around publish, and once all was published again.
def around_us(lakehouse):
    place = lakehouse.table(THINGS.table).place
    place = place if place.startswith("`spark_catalog`") else f"delta.`{place}`"
    spark.sql(f"UPDATE {place} SET value = value + 1 WHERE month = '{MAY}' AND id = 1")
    found = [unproven(lakehouse)]
    put(lakehouse, ROWS)
    return [*found, unproven(lakehouse)]

def full(lakehouse):
    asked = lambda: [p.to_json() for p in lakehouse.history(THINGS.table).publications]
    indexed, real = asked(), log_index._read_index
    log_index._read_index = lambda stored: ()
    recent.forget()
    try:
        return asked() == indexed
    finally:
        log_index._read_index = real

found = {
    name: played(Lakehouse(home, lambda: spark))
    for name, home in (
        ("catalog", CatalogHome(settings.lakehouse_root, "spark_catalog", "dev_")),
        ("folder", FolderHome(settings.lakehouse_root)),
    )
}
print("DONE" + json.dumps(found))
"""


@pytest.fixture(scope="module")
def played(tmp_path_factory, jvm):
    """What both kinds of tables said."""
    home = tmp_path_factory.mktemp("home")
    return json.loads(jvm.run(PLAY, home, home).split("DONE")[1])


@pytest.mark.slow
@pytest.mark.jvm
@pytest.mark.parametrize("home", ["catalog", "folder"])
def test_a_table_is_maintained_and_its_log_indexed(played, home):
    found = played[home]
    assert found["indexed"] > 0
    assert found["without_index"]
    assert found["same_publications"]
    assert (found["foreign"], found["altered"]) == ([], [])
    before, *after = found["files"]
    assert before > 2
    assert after == [2, 2, 2]
    assert found["problems"] == ["", ""]
    assert found["time_travel"]
    # Of what publications and maintenance alone wrote nothing is read, and else what they are not
    # known to have written: a catalog does not say which partition an UPDATE changed.
    assert found["proven"][0] == []
    assert found["around_us"][0] == [["2005-05"], 1]
    if home == "catalog":
        assert found["proven"] == [[], 0]
        assert found["around_us"][1] == [[], 0]
    assert (found["republished"], found["changed"]) == ([], ["2005-04", "2005-05"])
