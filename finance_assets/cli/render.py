"""Render: state as tables for a terminal. No state is read here."""

from collections import Counter

from rich.console import Console
from rich.table import Table

from finance_assets.commands.state import State

GOOD, BAD, ODD = "[green]", "[red]", "[yellow]"
SHOWN_PARTITIONS = 24


def render_use_case(console: Console, name: str, state: State) -> None:
    """The summary of one use case."""
    partitions = state.partitions
    span = (
        f"{len(partitions)} partitions: {partitions[0]} … {partitions[-1]}"
        if partitions
        else "nothing yet"
    )
    console.print(f"\n[bold]{name}[/bold]  {span}")
    console.print(_tables(state))
    console.print(_models(state))
    console.print(_scored(state))
    if state.not_measured:
        unseen = state.not_measured
        console.print(
            f"no verdict: {unseen[0]} … {unseen[-1]} ({len(unseen)} partitions): their tables "
            "were made, and nobody measured them"
        )
    champion = state.champion
    if champion is None:
        console.print(f"{ODD}no champion yet[/]")
    else:
        first, title = next(iter(state.headline.items()))
        figure = _figure(champion.metrics, first)
        if champion.is_baseline:
            console.print(
                f"{ODD}the baseline serves[/]: the rule of thumb is [bold]v{champion.version}"
                "[/bold], and nothing has beaten it yet"
            )
        console.print(
            f"champion [bold]v{champion.version}[/bold] as of {champion.as_of}: "
            f"{title} {figure}; "
            f"{champion.event.replace('_', ' ')} by {champion.decided_by}, in force from "
            f"{champion.since} on"
        )
    if state.overdue:
        console.print(f"{ODD}overdue: {', '.join(state.overdue)}[/]")
    for problem in state.champion_history_problems:
        console.print(f"{BAD}champion history: {problem}[/]")


def side_by_side(states: dict[str, State]) -> Table:
    """What became of each use case, a line each."""
    names = (
        "use case",
        "partitions",
        "rows in",
        "quarantined",
        "gate",
        "champion",
        "newest verdict",
    )
    table = _grid("Side by side", names)
    for name, state in states.items():
        tables = state.tables
        delivered = (facts.delivered for key, facts in tables.items() if _is_delivery(key))
        table.add_row(
            name,
            str(len(state.partitions)),
            f"{sum(delivered):,}",
            f"{sum(facts.quarantined for facts in tables.values()):,}",
            _decisions(state),
            _champion(state),
            _newest_verdict(state),
        )
    return table


def _is_delivery(table: str) -> bool:
    return table.startswith("bronze.")


def _decisions(state: State) -> str:
    """How many candidates met which decision, and what refused the last one."""
    made = Counter(candidate.decision.replace("_", " ") for candidate in state.candidates)
    said = ", ".join(f"{number} {decision}" for decision, number in made.items())
    failed = state.candidates[-1].failed_criteria if state.candidates else []
    return f"{said} ({', '.join(failed)})" if failed else said or "no candidate yet"


def _champion(state: State) -> str:
    champion = state.champion
    if champion is None:
        return f"{ODD}none[/]"
    metric, title = next(iter(state.headline.items()))
    who = "baseline " if champion.is_baseline else ""
    return f"{who}v{champion.version}, {title} {_figure(champion.metrics, metric)}"


def _newest_verdict(state: State) -> str:
    partition = max(state.drift, default=None)
    if partition is None:
        return "not measured"
    drift = state.drift[partition]
    return f"{partition}: {_words(drift.verdict)} → {_words(drift.action)}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _tables(state: State) -> Table:
    names = ("table", "version", "rows in", "published", "quarantined", "duplicates", "warnings")
    table = _grid("Tables (over all partitions)", names)
    for name, facts in state.tables.items():
        conserved = GOOD if facts.is_conserved else BAD
        figures = (facts.delivered, facts.published)
        table.add_row(
            name,
            str(facts.version),
            *(f"{conserved}{figure:,}[/]" for figure in figures),
            f"{facts.quarantined:,}",
            f"{facts.duplicates:,}",
            f"{ODD}{', '.join(facts.failed_checks)}[/]" if facts.failed_checks else "",
        )
    return table


def _models(state: State) -> Table:
    headline = state.headline
    names = ("as of", "version", "gate", *headline.values(), "failed criteria")
    table = _grid("Candidates (measured on the holdout)", names)
    for candidate in state.candidates:
        metrics = candidate.metrics
        colour = {"promoted": GOOD, "held": ODD}.get(candidate.decision, BAD)
        verdict = f"{colour}{candidate.decision.replace('_', ' ')}[/]"
        values = [_figure(metrics, name) for name in headline]
        table.add_row(
            candidate.as_of,
            f"v{candidate.version}",
            verdict,
            *values,
            ", ".join(candidate.failed_criteria),
        )
    return table


def _figure(metrics: dict[str, float], name: str) -> str:
    return f"{metrics[name]:.4f}" if name in metrics else "not measured"


def _scored(state: State) -> Table:
    names = ("partition", "predictions", "scored by", "verdict", "action", "largest PSI")
    known = sorted({*state.predictions, *state.drift})
    is_long = len(known) > SHOWN_PARTITIONS
    shown = f" (the newest {SHOWN_PARTITIONS} of {len(known)} partitions)" if is_long else ""
    table = _grid(f"Scoring and monitoring{shown}", names)
    for partition in known[-SHOWN_PARTITIONS:]:
        predictions = state.predictions.get(partition)
        drift = state.drift.get(partition)
        cells = ("not measured", "", "")
        if drift is not None:
            colour = {"wait": GOOD, "hold": BAD, "roll_back": BAD}.get(drift.action, ODD)
            verdict = f"{colour}{_words(drift.verdict)}[/]"
            psi = f"{drift.max_psi:.3f}" if drift.rows else ""
            cells = (verdict, f"{colour}{_words(drift.action)}[/]", psi)
        rows = "0" if predictions is None else f"{predictions.rows:,}"
        scored_by = "nobody" if predictions is None else f"v{predictions.model_version}"
        table.add_row(partition, rows, scored_by, *cells)
    return table


def _grid(title: str, names: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    numeric = {"version", "rows in", "published", "quarantined", "duplicates", "predictions"}
    for name in names:
        table.add_column(name, justify="right" if name in numeric else "left")
    return table
