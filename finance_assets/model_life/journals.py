"""Journals: the tables of a use case that no step is named for, and the kind of step that writes
them. Who shows, documents or maintains every table asks here.
"""

from finance_assets.lakehouse.contract import Contract
from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.model_life.holdout_looks import looks_contract
from finance_assets.model_life.performance_log import monitoring_contracts
from finance_assets.step.declaration import Kind
from finance_assets.step.use_case import UseCase


def journals_of(use_case: UseCase) -> dict[Contract, Kind]:
    """Champion history and looks at holdouts, which commands add to as well; and what monitoring
    finds beside its drift.
    """
    return {
        champion_history_contract(use_case.name): Kind.decision,
        looks_contract(use_case.model): Kind.evaluation,
        **dict.fromkeys(monitoring_contracts(use_case.model), Kind.monitoring),
    }


def tables_of(use_case: UseCase) -> tuple[str, ...]:
    """Every table that a use case has or may have, its quarantines and journals among them."""
    tables = []
    for step in use_case.steps:
        tables += [step.key, *([f"{step.key}_quarantine"] if step.rejected is not None else [])]
    return (*tables, *(contract.table for contract in journals_of(use_case)))
