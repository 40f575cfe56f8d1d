"""Writers that race for the next place of a journal, where its table has a name in a catalog."""

import json

import pytest

RACE = """
import json
from concurrent.futures import ThreadPoolExecutor
from finance_assets.compute.runner import open_lakehouse
from finance_assets.compute.sessions import open_session
from finance_assets.errors import LostRaceError
from finance_assets.lakehouse import catalog_log, log_index
from finance_assets.lakehouse.catalog import CatalogTable
from finance_assets.lakehouse.journal import append, read_journal
from finance_assets.lakehouse.publish import Origin
from finance_assets.model_life.decision_log import record_digest
from finance_assets.model_life.holdout_looks import looks_contract
from finance_assets.settings import get_settings
from finance_assets_tests.scenario import MODEL

settings = get_settings()
settings.prepare_home()
spark = open_session(settings)
lakehouse = open_lakehouse(settings, lambda: spark)
contract = looks_contract(MODEL)
read = lambda: read_journal(lakehouse, contract)

def attempt(journal, number):
    row = dict.fromkeys(contract.column_names, "2005-06") | {"number": number}
    row |= {"model_sha256": f"{number}", "champion_sha256": f"{number}"}
    try:
        append(lakehouse, journal, row, record_digest(row), Origin("race", "test"))
    except LostRaceError:
        return "lost"
    return "won"

def at_once(numbers):
    journal = read()
    with ThreadPoolExecutor(len(numbers)) as pool:
        return sorted(pool.map(lambda number: attempt(journal, number), numbers))

def between_look_and_write(number, other):
    # The other one commits after this one made sure that nobody did.
    real, said, journal = CatalogTable._sql, [], read()

    def sql(self, statement):
        found = real(self, statement)
        if statement.startswith("DESCRIBE HISTORY") and not looks:
            looks.append(statement)
            said.append(attempt(journal, other))
        return found

    looks = []
    CatalogTable._sql = sql
    try:
        return attempt(journal, number), *said
    finally:
        CatalogTable._sql = real

done = {"first": attempt(read(), 0), "at_once": [at_once([n, n + 1, n + 2]) for n in (1, 4)]}
done["between"] = between_look_and_write(100, 200)
done["numbers"] = sorted(row["number"] for row in read().rows)

def read_anew():
    # What it has to ask for that, and what it finds.
    real, asked = CatalogTable._sql, []

    def sql(self, statement):
        asked.append(statement.split()[0])
        return real(self, statement)

    CatalogTable._sql = sql
    try:
        return asked, sorted(row["number"] for row in read().rows)
    finally:
        CatalogTable._sql = real

before = lakehouse.history(contract.table)
assert before.version
done["read"] = [read_anew()]
attempt(read(), 300)
done["read"].append(read_anew())
done["read"].append(read_anew())
earlier = before.rows("number"), before.row_counts()
done["earlier"] = [sorted(row["number"] for row in earlier[0]), sum(earlier[1].values())]

# Another table under the same name, which has as many commits and, in the last of them, as much to say.
place, path, old = lakehouse.table(contract.table).place, lakehouse.path(contract.table), read()
kept = log_index._memory.get(path), catalog_log._answered.get(path)
spark.sql(f"DROP TABLE {place}")
for number in range(len(done["numbers"]) + 1):
    attempt(read(), number)
# As if another process had made it.
log_index._memory.put(path, kept[0])
catalog_log._answered.put(path, kept[1])
done["another"] = [read_anew()[1], old.version == read().version]
done["carried"] = [len(read().carried), len(old.carried.items() & read().carried.items())]
print("DONE" + json.dumps(done))
"""


@pytest.mark.slow
@pytest.mark.jvm
def test_of_writers_that_read_the_same_journal_of_a_catalog_one_wins(tmp_path, jvm):
    said = jvm.run(RACE, tmp_path, tmp_path, FINANCE_ASSETS_CATALOG="spark_catalog")
    done = json.loads(said.split("DONE")[1])
    assert done["first"] == "won"
    assert done["at_once"] == [["lost", "lost", "won"]] * 2
    assert done["between"] == ["lost", "won"]
    assert len(done["numbers"]) == 4
    assert 200 in done["numbers"]
    assert 100 not in done["numbers"]
    # What was read before is not asked for again, but for whether it still is the newest.
    first, after, again = done["read"]
    assert first == again[:1] + [done["numbers"]]
    assert again == [["DESCRIBE"], [*done["numbers"], 300]]
    assert after == [["DESCRIBE", "SELECT"], [*done["numbers"], 300]]
    # A table stays as it was when it was first asked, its rows, too.
    assert done["earlier"] == [done["numbers"], 4]
    assert done["another"] == [[0, 1, 2, 3, 4], True]
    assert done["carried"] == [5, 1]
