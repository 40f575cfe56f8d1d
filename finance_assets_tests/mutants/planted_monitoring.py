"""The faults planted in monitoring: what is measured, what is concluded, what is done about it."""

from finance_assets_tests.mutants.mutant import of

MONITORING = (
    *of(
        "monitoring/drift.py",
        "monitoring/test_drift.py monitoring/test_triage.py",
        ("if not v.psi < limit", "if v.psi >= limit"),
        ("v.seasonal_psi < self.limits.warning_psi)", "False)"),
        ("and not v.psi_chance > self.chance\n", ""),
        (
            "if not abs(v.missing_share - v.reference_missing_share) < jump",
            "if not v.missing_share - v.reference_missing_share < jump",
        ),
        ("self.limits.alpha / max(4 * len(self.variables), 1)", "self.limits.alpha"),
        ("return self.rows < self.limits.min_rows", "return self.rows <= self.limits.min_rows"),
        ("return sorted(found, key=lambda v: -_size(v))", "return found"),
        ("if then < rare or not then]", "if not then]"),
        ("(n + 0.5) / (sum(observed)", "(n + 1e-9) / (sum(observed)"),
        ("unseen_share=unseen / max(rows, 1)", "unseen_share=unseen / max(then, 1)"),
    ),
    *of(
        "monitoring/significance.py",
        "monitoring/test_drift.py monitoring/test_triage.py",
        ("max(psi / noise - freedom, 0.0)", "psi / noise"),
        ("seen * math.log(rows", "math.log(rows"),
        ("if (r + o) * smaller >= MIN_EXPECTED:", "if True:"),
    ),
    *of(
        "monitoring/reference.py",
        "monitoring/test_drift.py",
        ("    bins[np.isnan(given)] = 0\n", ""),
        ("or reference.is_coded:", "or False:"),
        ("range(int(low), int(high) + 2)", "range(int(low), int(high) + 1)"),
    ),
    *of(
        "monitoring/triage.py",
        "monitoring/test_triage.py",
        ("Verdict.encoding_change: Action.hold", "Verdict.encoding_change: Action.retrain"),
        ("best.lost.high < matured.lost.low", "best.lost.value < matured.lost.value"),
        ("key=lambda rival: rival.lost.high", "key=lambda rival: rival.lost.value"),
        ("and level.low * level.high > 0", ""),
        ("matured is None or matured.rows < limits.min_rows", "matured is None"),
        (" or abs(jump) <= reach", ""),
    ),
    *of(
        "monitoring/retraining.py",
        "monitoring/test_retraining.py test_baseline.py::test_each_new_partition_brings_one_try_to_beat_the_rule_of_thumb_and_never_an_older",
        ("return self.action == Action.retrain", "return self.action != Action.wait"),
        ("if as_of in facts.decided:", "if False:"),
        ("if as_of < facts.cooled_as_of:", "if as_of <= facts.cooled_as_of:"),
        ("known = min(", "known = max("),
        ("as_of = max(possible)", "as_of = min(possible)"),
        ("if not is_of_champion:", "if False:"),
        ("recent = _own(facts)[", "recent = facts.findings["),
        ('if p > max(facts.decided, default="")]', "]"),
        ("p for p in possible if p not in facts.decided", "p for p in possible"),
        ("own[begin].asks and own[begin - 1].asks", "own[begin - 1].asks and False"),
    ),
    *of(
        "model_life/drift_measuring.py",
        "model_life/test_model_life.py::test_rows_that_were_not_scored_do_not_count_as_drifted",
        (
            "spec.task.watched_column), list(spec.key)",
            'spec.task.watched_column), list(spec.key), "left"',
        ),
    ),
    *of(
        "model_life/drift_measuring.py",
        "monitoring/test_season.py",
        ("if r.model_sha256 == champion.model_sha256", "if r.counts"),
        ("-calendar.frequency.in_a_year", "-1"),
    ),
)
