"""Scored partitions: by whom they were scored, and whether that champion is still in force there.

The champion history and the predictions are two tables, so a change of champion and a scoring
run can overlap. Scoring looks again after it published, and whoever changes the champion is told
what was scored meanwhile. Scoring itself is a step's business.
"""

from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.champion_history import ChampionHistory
from finance_assets.model_life.contracts import prediction_contract
from finance_assets.step.declaration import StepContext


def outdated(ctx: StepContext, spec: ModelSpec, history: ChampionHistory) -> list[str]:
    """Scored partitions where another champion is in force than the one that scored; sentences."""
    contract = prediction_contract(spec)
    column = contract.partition_column
    scorers = ctx.lakehouse.history(contract.table).rows(
        f"DISTINCT {column}, model_version, model_sha256"
    )
    found = []
    for row in sorted(scorers, key=lambda row: (str(row[column]), str(row["model_version"]))):
        champion = history.in_force(str(row[column]))
        if champion is None or row["model_sha256"] != champion.model_sha256:
            now = f"v{champion.model_version}" if champion else "no champion"
            found.append(
                f"{contract.table}[{row[column]}] was scored by v{row['model_version']}, but "
                f"{now} is in force there: materialise it again"
            )
    return found
