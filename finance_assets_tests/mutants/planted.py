"""The planted faults: the calendar, tables, models and their lives."""

from finance_assets_tests.mutants.mutant import of
from finance_assets_tests.mutants.planted_monitoring import MONITORING

MUTANTS = (
    *of(
        "calendar/calendar.py",
        "test_calendar.py test_time.py",
        ("self.last < self.first", "self.last <= self.first"),
        (
            "return self.frequency.named(self.frequency.parse(partition) + by)",
            "return self.frequency.named(self.frequency.parse(partition) - by)",
        ),
        (
            "return list(self.window(self.first, newest)) if newest >= self.first else []",
            "return list(self.window(self.first, newest)) if newest > self.first else []",
        ),
        (
            "is_inside = self.first <= partition <= self._newest(now)",
            "is_inside = self.first <= partition < self._newest(now)",
        ),
        ("partition is None or p <= partition", "partition is None or p < partition"),
        ("return not self.is_growing or (now", "return self.is_growing or (now"),
        ("of(p)) + self.overdue_after]", "of(p))]"),
        ("if p not in published or", "if p in published or"),
        ("< end - self.freshness[0]", "< end"),
        (
            "return came + timedelta(days=1)",
            "return self._first_run(self.frequency.parse(partition))",
        ),
        (
            "return self._on_the_wall(number, self.due_after + timedelta(days=1))",
            "return self._on_the_wall(number, self.due_after)",
        ),
        ("while self._first_run(number) > at:", "while self._first_run(number) >= at:"),
        ("wall.replace(tzinfo=zone)", "wall.replace(tzinfo=zone, fold=1)"),
        ("if moment.astimezone(zone).replace(tzinfo=None) == wall:", "if moment:"),
        (
            "return *of_day, None, (1 + self.due_after.days) % 7",
            "return *of_day, None, self.due_after.days % 7",
        ),
        (
            "return *of_day, 1 + self.due_after.days, None",
            "return *of_day, self.due_after.days, None",
        ),
        ("number if self.is_growing else number - 1", "number - 1"),
        (
            "return newest if self.last is None else min(newest, self.last)",
            "return newest if self.last is None else self.last",
        ),
        (
            "self._on_the_wall(number + 1, self.due_after)",
            "self._on_the_wall(number, self.due_after)",
        ),
        (
            "return self.is_whole(partition, (now or datetime.now(UTC)) - self.late_after)",
            "return self.is_whole(partition, now or datetime.now(UTC))",
        ),
    ),
    *of(
        "calendar/window.py",
        "test_calendar.py test_time.py",
        ("frequency.parse(self.last) + 1)", "frequency.parse(self.last))"),
        (
            "return Window(min(self.calendar.first, last), last, self.calendar)",
            "return Window(last, last, self.calendar)",
        ),
        ("AND {column} <= '{self.last}'", "AND {column} < '{self.last}'"),
    ),
    *of(
        "calendar/frequency.py",
        "test_calendar.py",
        ("(day.toordinal() - 1) // 7", "day.toordinal() // 7"),
        ("if self.named(self.number(day)) == text:", "if self.named(self.number(day)):"),
        ("date(number // 12, number % 12 + 1, 1)", "date(number // 12, max(number % 12, 1), 1)"),
    ),
    *of(
        "ml/splits.py",
        "ml/test_training.py test_time.py",
        ("if as_of < first_possible:", "if as_of <= first_possible:"),
        ("last = calendar.shift(as_of, -spec.label_lag)", "last = as_of"),
        (
            "held_out = calendar.shift(last, 1 - spec.holdout_partitions)",
            "held_out = last if spec.holdout_partitions == 1 else calendar.first",
        ),
        ("calendar.shift(held_out, -1 - gap_partitions(spec.label_lag))", "held_out"),
        ("return max(label_lag - 1, 0)", "return 0"),
        ("needed - 1 + spec.label_lag", "needed - 1"),
        (
            "growing = [p for p in window if not calendar.is_whole(p)]",
            "growing = [p for p in window if calendar.is_whole(p) and False]",
        ),
        ("return self.rows.widened(self.label_lag, self.label_lag)", "return self.rows"),
    ),
    *of(
        "ml/frames.py",
        "ml/test_training.py test_time.py",
        ("missing = [p for p in without if counts.get(p, 0)]", "missing = []"),
        ("if version is None or missing:", "if version is None:"),
    ),
    *of(
        "ml/gate.py",
        "ml/test_gate.py",
        ("if missing or len(set(self.names)) != len(self.names):", "if missing:"),
        ("if missing or len(set(self.names))", "if len(set(self.names))"),
        (
            "if kind is not ours or not issubclass(kind, Criterion):",
            "if not issubclass(kind, ours):",
        ),
        (
            "finding = type(criterion).judge(criterion, evidence)",
            "finding = criterion.judge(evidence)",
        ),
        ('finding = Finding(False, "a judgement"', 'finding = Finding(True, "a judgement"'),
    ),
    *of(
        "ml/criterion.py",
        "ml/test_gate.py",
        (
            "return self.champion_version is not None and not self.champion_gone",
            "return self.champion_version is not None",
        ),
    ),
    *of(
        "ml/gate_report.py",
        "ml/test_gate.py",
        (">= floor | set(self.mandatory)", ">= set(self.mandatory)"),
        (" and len(set(judged)) == len(judged)", ""),
        ("self.gate_digest and is_whole", "is_whole"),
        ("all(v.is_passed is True for v", "all(v.is_passed for v"),
        ("self.gate_digest and is_whole and", "self.gate_digest and"),
    ),
    *of(
        "ml/tasks/binary/criteria/performance.py",
        "ml/test_gate.py",
        ("return Finding(auc >= self.min_auc", "return Finding(auc <= 1 or auc >= self.min_auc"),
        ("> self.min_gain,\n", "> self.min_gain - 1,\n"),
    ),
    *of(
        "model_life/champion_history.py",
        "model_life/test_champion_history.py model_life/test_champion_changes.py",
        ("if event.effective_from <= partition]", "if event.effective_from < partition]"),
        ("return holding[-1] if holding else None", "return holding[0] if holding else None"),
        (
            "return self.events[-2] if len(self.events) > 1 else None",
            "return self.events[0] if len(self.events) > 1 else None",
        ),
        (
            "event.identity == identity and event.event != Event.rolled_back",
            "event.model_version == identity.model_version and event.event != Event.rolled_back",
        ),
        ("if not self.problems:\n            return self", "if True:\n            return self"),
    ),
    *of(
        "model_life/champion_events.py",
        "model_life/test_champion_history.py",
        ('if k != "digest"}', 'if k not in ("digest", "reason")}'),
    ),
    *of(
        "model_life/chain.py",
        "model_life/test_champion_history.py",
        ("if event.digest not in journal.carried", "if False"),
        ("if event.sequence != place:", "if False:"),
        ("if event.digest != event.content_digest:", "if False:"),
        ('if event.previous_digest != (head.digest if head else ""):', "if False:"),
        ("if event.replaces != (replaced.model_version if replaced else None):", "if False:"),
        (
            "if not report.is_passed or report.candidate_version != event.model_version:",
            "if not report.is_passed:",
        ),
        ("report.champion_version != event.replaces:", "False:"),
        (
            "if event.event == Event.rolled_back and before.crowning(event.identity) is None:",
            "if False:",
        ),
        ("for version in journal.foreign\n", "for version in ()\n"),
    ),
    *of(
        "model_life/chain.py",
        "model_life/test_acceptance.py",
        ("event.identity == stays and event.accepted.problems", "event.accepted.problems"),
        ("journal.carried.get(event.digest, -1) > version", "True"),
    ),
    *of(
        "model_life/scored.py",
        "model_life/test_overlaps.py",
        (
            "scorer.model_sha256 != champion.model_sha256",
            "scorer.model_sha256 == champion.model_sha256",
        ),
        ("if said and history.altered_at(partition) is None", "if said"),
        ("and not history.foreign_versions:", "or not history.foreign_versions:"),
    ),
    *of(
        "steps/scoring.py",
        "model_life/test_overlaps.py",
        ("if _in_force(ctx, history) == champions:", "if True:"),
    ),
    *of(
        "lakehouse/audit.py",
        "lakehouse/test_audit.py lakehouse/test_publish.py",
        (
            'return f"NOT coalesce(({rule.condition}), false)"',
            'return f"NOT coalesce(({rule.condition}), true)"',
        ),
        ("if c.is_nullable and c.name in stable]", "if False]"),
        (
            'f"NOT coalesce(({rule.condition}), false) as table_{rule.name}"',
            'f"NOT coalesce(({rule.condition}), true) as table_{rule.name}"',
        ),
        (
            'counted = keys.groupBy(contract.partition_column).agg(F.expr(f"count_if({known})"))',
            'counted = keys.groupBy(contract.partition_column).agg(F.expr("count(*)"))',
        ),
        (
            '"window": dict.fromkeys(sorted(set(facts) - set(window)), "outside the window"),',
            '"window": {},',
        ),
        ("if f.rows < contract.min_rows}", "if f.rows <= contract.min_rows}"),
        (
            "if ledgers[p].quarantined > contract.max_quarantine_share",
            "if ledgers[p].quarantined >= contract.max_quarantine_share",
        ),
        ("return ledger.is_balanced and (ledger.published", "return (ledger.published"),
        ("lambda f: f.rows - f.distinct_keys", "lambda f: 0"),
    ),
    *of(
        "lakehouse/columns.py",
        "lakehouse/test_publish.py",
        ("return missing + extra + other", "return missing + other"),
        ("return missing + extra + other", "return missing + extra"),
    ),
    *of(
        "lakehouse/staged.py",
        "lakehouse/test_staged.py",
        ("if len(rows) == limit:", "if False:"),
        ("file.iter_batches(limit - len(rows))", "file.iter_batches(limit)"),
        ("        pa.array(values).cast(kind)", "        pass"),
    ),
    *of(
        "lakehouse/folder_schema.py",
        "lakehouse/test_staged.py",
        ("            **WITHOUT_STATISTICS,\n", ""),
    ),
    *of(
        "compute/sessions.py",
        "lakehouse/test_staged.py",
        ('os.environ[STATISTICS] = "false"', 'os.environ[STATISTICS] = "true"'),
    ),
    *of(
        "lakehouse/damage.py",
        "lakehouse/test_staged.py lakehouse/test_adopting.py lakehouse/test_log_index.py",
        ("== delta.version() and before", "!= -2 and before"),
        (" and before.items() <= entries.items()", ""),
        ("        delta.update_incremental()", "        pass"),
    ),
    *of(
        "lakehouse/publish.py",
        "lakehouse/test_publish_rejected.py lakehouse/test_publish.py lakehouse/test_publish_ranges.py",
        ("if any(check.severity is Severity.block for check in failed):", "if failed:"),
        ("if any(check.severity is Severity.block for check in failed):", "if False:"),
        ("if proposal.quarantine is None:", "if True:"),
        ("    if mixed:\n", "    if False:\n"),
        ("[p for p in theirs if p not in lost]", "list(theirs)"),
        ("[p for p in theirs if p not in lost]", "[p for p in theirs if not lost]"),
        ("if met := covered(", "if False and covered("),
        ("changed = tuple(p for p in meant if p in changed or p in met)", "pass"),
        ("empty = [p for p in proposal.meant if p not in facts]", "empty: list[str] = []"),
    ),
    *of(
        "lakehouse/in_force.py",
        "lakehouse/test_publish_rejected.py lakehouse/test_publish.py lakehouse/test_publish_ranges.py",
        ("if stored[partition] != proposed[partition] or _differs", "if _differs"),
        (
            "if stored[partition] != proposed[partition] or _differs(history, publication, partition)",
            "if stored[partition] != proposed[partition]",
        ),
        ("if _differs(history, publication, partition) or is_news(", "if is_news("),
        (
            "if _differs(history, publication, partition) or is_news(history, publication, partition)",
            "if _differs(history, publication, partition)",
        ),
        (
            "        and known.is_confirmation\n        and known.says(partition) == confirmed.says(partition)\n",
            "",
        ),
        ("if record.commit.version > since]", "]"),
        (
            "return record.commit.changed is None or partition in record.commit.changed",
            "return False",
        ),
        ("if history.ledger_of(partition) != publication.ledgers[partition]:", "if False:"),
    ),
    *of(
        "lakehouse/second_look.py",
        "lakehouse/test_audit.py",
        ("if any(not math.isfinite(", "if any(math.isnan("),
        ('f"coalesce({text}, false)"', 'f"coalesce({text}, true)"'),
    ),
    *of(
        "step/presence.py",
        "step/test_presence.py",
        ("if window.first <= partition <= window.last", "if False"),
        ("and history.ledger_of(partition).published", "and False"),
        ("is_before = calendar is not None and", "is_before = False and"),
    ),
    *of(
        "steps/ranges.py",
        "steps/test_ranges.py",
        ("if fingerprints(alone, contract) == fingerprints(ranged, contract):", "if True:"),
        ("_alone IS NULL OR _ranged IS NULL", "false"),
        ('alike += f" OR ({gap} <=', 'alike += f" AND ({gap} <='),
        (
            "for c in contract.columns if c.name not in key and not c.is_volatile]",
            "for c in contract.columns if c.name not in key]",
        ),
    ),
    *of(
        "lakehouse/refine.py",
        "lakehouse/test_refine.py",
        (
            'groupBy(*key).count().where("count > 1")\n    same_key',
            'groupBy(*key).count().where("count > 2")\n    same_key',
        ),
        (
            'conflicts = versions.groupBy(*key).count().where("count > 1")',
            'conflicts = versions.groupBy(*key).count().where("count > 2")',
        ),
        ('same_key.unionByName(keyed.where(f"NOT ({whole})"))', "same_key"),
        ('as _is_first"), row, "left")', 'as _is_first"), list(source.key), "left")'),
        ('_reason(f"{readable} AND {breaks(rule)}"', '_reason(f"{breaks(rule)}"'),
        ("_is_first IS NULL as _is_repeat", "true as _is_repeat"),
        ('f"`{target.partition_column}` <> `{source.partition_column}`"', '"false"'),
    ),
    *of(
        "assets/build.py",
        "assets/test_graph.py assets/test_asset_runs.py",
        ("blocking=check.severity is Severity.block,", "blocking=False,"),
    ),
    *MONITORING,
)
