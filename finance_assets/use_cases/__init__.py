"""Use cases: one folder each, and nothing about a use case anywhere else.

A use case declares; it runs nothing and imports no engine at load. To add one, write its
folder and name it in `ALL`.
"""

from finance_assets.declarations import refuse
from finance_assets.step.use_case import UseCase
from finance_assets.step.use_case_rules import shared_tables
from finance_assets.use_cases.credit_default.use_case import USE_CASE as CREDIT_DEFAULT

DECLARED = (CREDIT_DEFAULT,)
refuse("use cases", shared_tables(DECLARED), at=__file__)
ALL: dict[str, UseCase] = {use_case.name: use_case for use_case in DECLARED}
