"""What a lost champion served stays on record, whatever else was restored or is delivered since."""

import shutil

import pytest
from deltalake import DeltaTable

from finance_assets_tests.model_life.models import HISTORY, PREDICTIONS
from finance_assets_tests.model_life.test_acceptance import accept, crowned
from finance_assets_tests.scenario import AUGUST, FEATURES, JULY, SEPTEMBER, deliver, shipped

__all__ = ["crowned"]


@pytest.fixture
def served(crowned):
    """August and September were scored."""
    crowned.run(PREDICTIONS, AUGUST, SEPTEMBER)
    return crowned


def lose_history(runner):
    shutil.rmtree(runner.lakehouse.path(HISTORY))
    accept(runner)


def redelivered(runner, accounts):
    """September with another number of accounts, through to its features."""
    rows = (",".join(row) for row in shipped(SEPTEMBER, accounts))
    deliver(runner.settings.landing, SEPTEMBER, *rows)
    runner.run_tables(SEPTEMBER)


def stored(runner):
    """How many predictions there are of each month, by whom."""
    found = {}
    for row in runner.rows(PREDICTIONS):
        key = row["statement_month"], row["model_version"]
        found[key] = found.get(key, 0) + 1
    return found


def test_predictions_that_were_restored_with_the_history_are_not_emptied(served):
    before, version = stored(served), served.lakehouse.history(PREDICTIONS).version
    redelivered(served, 1500)
    served.run(PREDICTIONS, SEPTEMBER)
    assert stored(served) != before
    DeltaTable(str(served.lakehouse.path(PREDICTIONS))).restore(version)
    lose_history(served)
    history = served.lakehouse.history(PREDICTIONS)
    altered = history.altered_at(SEPTEMBER)
    assert altered == history.version
    result = served.run(PREDICTIONS, JULY, SEPTEMBER)
    assert stored(served) == before
    after = served.lakehouse.history(PREDICTIONS)
    assert after.altered_at(SEPTEMBER) == altered, "nothing was confirmed"
    assert "2 from 2005-08 to 2005-09, as a champion that is lost" in result.metadata["kept"]
    rows = {p: facts["rows"] for p, facts in result.by_partition.items()}
    assert rows == {JULY: 0, AUGUST: 2000, SEPTEMBER: 2000}
    assert result.fingerprints.keys() == rows.keys()


def test_what_was_served_is_not_said_to_be_made_from_what_was_corrected_since(served):
    before, history = stored(served), served.lakehouse.history(PREDICTIONS)
    version, known = history.version, history.in_force(SEPTEMBER)
    lose_history(served)
    redelivered(served, 1500)
    features = served.lakehouse.history(FEATURES)
    assert features.ledger_of(SEPTEMBER).published == 1500
    result = served.run(PREDICTIONS, SEPTEMBER)
    assert stored(served) == before
    after = served.lakehouse.history(PREDICTIONS)
    assert after.in_force(SEPTEMBER) == known
    assert after.version == version
    assert result.fingerprints == {SEPTEMBER: known.fingerprints[SEPTEMBER]}
