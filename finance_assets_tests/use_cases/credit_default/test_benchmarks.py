"""The benchmarks compare like with like: made deliveries are as the shipped ones, and what is
written by hand is equal to what the pipeline publishes."""

import polars as pl
import pytest

from benchmarks.baselines import bare_sail, by_hand_polars
from benchmarks.baselines.places import MONTHS, REJECTED
from benchmarks.compare import SAME, different_tables
from benchmarks.generator import CLEAN, Dirt, generate
from benchmarks.measure import ROOT, Measured
from benchmarks.page import render
from benchmarks.pipeline import run_tables, settings_of
from benchmarks.results import Finding, Machine, Results, Runs
from benchmarks.suite import FULL, QUICK, Suite
from finance_assets.compute.runner import open_lakehouse
from finance_assets.use_cases.credit_default.use_case import SAMPLES

THREE = MONTHS[:3]
DIRT = Dirt(copies=0.01, conflicts=0.01, unreadable=0.01, impossible=0.01)
# Rows, columns: (relative) differences that the drawing of 30,000 accounts may bring.
OF_MEANS, OF_QUANTILES, OF_RATES, OF_CORRELATIONS = 0.03, 0.06, 0.02, 0.02


def months_of(folder) -> pl.DataFrame:
    """Every month's rows, with the status a month before and after."""
    rows = pl.concat([pl.read_csv(path) for path in sorted(folder.glob("*.csv.gz"))])
    rows = rows.sort("account_id", "statement_month")
    status = pl.col("pay_status")
    return rows.with_columns(
        status.shift(1).over("account_id").alias("before"),
        (status.shift(-1).over("account_id") >= 2).alias("is_default"),
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """As many rows as are shipped, without more dirt than these have."""
    return months_of(generate(tmp_path_factory.mktemp("made"), 180_000, seed=3, dirt=CLEAN))


@pytest.fixture(scope="module")
def shipped():
    return months_of(SAMPLES)


def test_columns_are_distributed_as_in_the_shipped_deliveries(made, shipped):
    assert made.shape == shipped.shape
    for name in ("credit_limit_ntd", "age_years", "bill_ntd", "payment_ntd"):
        assert made[name].mean() == pytest.approx(shipped[name].mean(), rel=OF_MEANS), name
        for share in (0.1, 0.25, 0.5, 0.75, 0.9, 0.99):
            wanted = shipped[name].quantile(share)
            assert made[name].quantile(share) == pytest.approx(wanted, rel=OF_QUANTILES, abs=50), (
                name,
                share,
            )
    for name in ("sex_code", "education_code", "marital_status_code", "pay_status"):
        for value in shipped[name].unique():
            rate, wanted = ((rows[name] == value).mean() for rows in (made, shipped))
            assert rate == pytest.approx(wanted, abs=OF_RATES / 2), (name, value)
    assert (made["bill_ntd"] < 0).mean() == pytest.approx((shipped["bill_ntd"] < 0).mean(), rel=0.1)


def test_what_depends_on_what_is_as_in_the_shipped_deliveries(made, shipped):
    pairs = [
        *(("credit_limit_ntd", "bill_ntd"), ("bill_ntd", "payment_ntd"), ("pay_status", "before")),
        *(("age_years", "credit_limit_ntd"), ("pay_status", "bill_ntd")),
    ]
    for one, other in pairs:
        found, wanted = (
            rows.select(pl.corr(one, other, method="spearman")).item()
            for rows in (made.drop_nulls("before"), shipped.drop_nulls("before"))
        )
        assert found == pytest.approx(wanted, abs=OF_CORRELATIONS), (one, other)
    rates = [
        dict(
            rows.drop_nulls("is_default")
            .group_by("pay_status")
            .agg(pl.col("is_default").mean())
            .iter_rows()
        )
        for rows in (made, shipped)
    ]
    for status in range(-2, 4):
        assert rates[0][status] == pytest.approx(rates[1][status], abs=OF_RATES * 2), status


@pytest.mark.parametrize(
    ("plan", "verdict"), [(QUICK, "not measured at the goal's size"), (FULL, "met")]
)
def test_a_goal_is_met_only_by_what_was_measured_at_its_size(tmp_path, plan, verdict):
    suite = Suite(plan, tmp_path)
    suite.runs = [Runs("tables", size, [Measured(size / 1e5, 1.0, 900.0)]) for size in plan.growth]
    suite._growth()
    assert {one.verdict for one in suite.findings} == {verdict}
    assert [one.found for one in suite.findings] == ["0.9 GB", "1"]


def of_commit(commit, findings, runs=(), profile=None, is_provisional=False, cores=2):
    taken = f"when {commit} was new"
    found = [
        Finding(n, "what", value, 1.0, True, "×", taken=taken, commit=commit)
        for n, value in findings
    ]
    machine = Machine(cores, 8.0, "Linux", "3.11", {}, 0.0)
    return Results(taken, commit, machine, 1, is_provisional, list(runs), found, profile or {})


def test_what_was_not_measured_again_stays_on_the_page_and_says_of_which_code_it_is(tmp_path):
    one = Measured(1.0, 1.0, 1.0)
    often, kept, old = Runs("a", 1, [one, one]), Runs("b", 1, [one]), Runs("c", 1, [one])
    earlier = of_commit("old", [(1, 1.5), (2, 0.5)], [often, kept, old], {"part": 1.0})
    once, new = Runs("a", 1, [one]), Runs("c", 1, [one, one])
    whole = of_commit("new", [(2, 0.7)], [once, new]).over(earlier)
    assert [(f.number, f.value, f.commit) for f in whole.findings] == [
        (1, 1.5, "old"),
        (2, 0.7, "new"),
    ]
    assert whole.runs == [often, kept, new]
    assert (whole.profile, whole.commit) == ({"part": 1.0}, "old")
    render(whole, tmp_path)
    assert "- goal 2: when new was new, `new`" in (tmp_path / "README.md").read_text()


def test_figures_of_another_machine_or_of_a_quick_run_are_not_put_beside_others():
    earlier = of_commit("old", [(1, 1.5)])
    elsewhere = of_commit("new", [(2, 0.7)], cores=8)
    quick = of_commit("new", [(2, 0.7)], is_provisional=True)
    assert elsewhere.over(earlier) == elsewhere
    assert quick.over(earlier) == quick
    assert earlier.over(quick) == earlier


def test_equal_seeds_give_equal_bytes(tmp_path):
    first, second, other = (
        generate(tmp_path / str(n), 3000, seed) for n, seed in enumerate((1, 1, 2))
    )
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes()
        assert path.read_bytes() != (other / path.name).read_bytes()


@pytest.fixture(scope="module")
def published(tmp_path_factory, spark):
    """Dirty deliveries of three months, and the tables that the pipeline makes of them."""
    root = tmp_path_factory.mktemp("compared")
    deliveries = generate(root / "deliveries", 6000, dirt=DIRT)
    settings = settings_of(root / "home", deliveries)
    run_tables(settings, THREE)
    lakehouse = open_lakehouse(settings, lambda: spark)
    return deliveries, {c.table: lakehouse.path(c.table) for c in SAME.values()}, lakehouse


def test_polars_by_hand_writes_the_rows_that_the_pipeline_publishes(published, tmp_path):
    deliveries, ours, lakehouse = published
    by_hand_polars.run(deliveries, tmp_path, THREE)
    assert different_tables(ours, tmp_path) == []
    history = lakehouse.history("silver.credit_statements")
    ledgers = [history.publication_of(month).ledgers[month] for month in THREE]
    assert [(x.quarantined, x.duplicates) for x in ledgers] == [(40, 10)] * 3
    assert len(pl.read_delta(str(tmp_path / REJECTED))) == sum(x.quarantined for x in ledgers)


def test_the_bare_script_writes_the_rows_that_the_pipeline_publishes(published, tmp_path, spark):
    deliveries, ours, _ = published
    bare_sail.run(deliveries, tmp_path, THREE, spark)
    assert different_tables(ours, tmp_path) == []


@pytest.mark.slow
@pytest.mark.jvm
def test_the_templates_on_the_jvm_write_the_rows_that_the_pipeline_publishes(
    published, tmp_path, jvm
):
    deliveries, ours, _ = published
    script = (
        "from pathlib import Path; from benchmarks.baselines.templates_jvm import run;"
        f"run(Path({str(deliveries)!r}), Path({str(tmp_path)!r}), {THREE!r})"
    )
    jvm.run(script, tmp_path, deliveries, PYTHONPATH=str(ROOT))
    assert different_tables(ours, tmp_path) == []
