"""customer_churn does not know the future."""

from dataclasses import replace

from finance_assets.ml.gate import Gate
from finance_assets.ml.tasks.binary import criteria
from finance_assets.steps.declared import table_steps
from finance_assets.steps.model_steps import model_steps
from finance_assets.use_cases.customer_churn.use_case import CALENDAR, MODEL, NAME, TABLES, USE_CASE
from finance_assets_tests.leaks import require_no_leak
from finance_assets_tests.ml.evidence import EASY_GATE
from finance_assets_tests.running import UseCaseRunner, fresh_home
from finance_assets_tests.use_cases.customer_churn.deliveries import REGISTER, deliver

SHORT = replace(CALENDAR, last="2017-08")
MONTHS = SHORT.partitions()
# One household in four, of which some 80 leave in a month.
GATE = Gate(
    tuple(
        criteria.EnoughRows(min_rows=200, min_positives=50)
        if criterion.name == "enough_rows"
        else criterion
        for criterion in EASY_GATE.criteria
    )
)


def test_later_baskets_change_nothing_that_came_before(settings, tmp_path, mlflow_store, spark):
    model = replace(MODEL, gate=GATE, protected=replace(MODEL.protected, min_group_rows=30))
    tables = table_steps(NAME, TABLES, USE_CASE.samples)
    steps = (*tables, *model_steps(model, SHORT, tables))
    use_case = replace(USE_CASE, calendar=SHORT, model=model, steps=steps)

    def make(is_changed):
        home = fresh_home(settings, tmp_path / str(is_changed), mlflow_store)
        runner = UseCaseRunner(use_case, home, spark)
        for month in MONTHS:
            changed = {"change": otherwise} if is_changed and month > MONTHS[6] else {}
            deliver(runner.folder(), month, one_in=4, **changed)
        return runner

    require_no_leak(make, as_of=MONTHS[5], through=MONTHS[6])


def otherwise(source, rows):
    """Every third household buys on, ten times as much; the register swaps two ages."""
    if source == REGISTER:
        return rows.assign(age=rows["age"].replace({"45-54": "65+", "65+": "45-54"}))
    kept = rows[rows["household_id"].astype(int) % 3 == 0]
    return kept.assign(sales_value=kept["sales_value"].str.replace(".", "0.", regex=False))
