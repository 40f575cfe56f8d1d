"""Render: state as tables for a terminal. No state is read here."""

from typing import Any

from rich.console import Console
from rich.table import Table

GOOD, BAD, ODD = "[green]", "[red]", "[yellow]"


def render_use_case(console: Console, name: str, state: dict[str, Any]) -> None:
    """The summary of one use case."""
    partitions = state["partitions"]
    span = (
        f"{len(partitions)} partitions: {partitions[0]} … {partitions[-1]}"
        if partitions
        else "nothing yet"
    )
    console.print(f"\n[bold]{name}[/bold]  {span}")
    console.print(_tables(state))
    console.print(_models(state))
    console.print(_scored(state))
    champion = state["champion"]
    if champion is None:
        console.print(f"{ODD}no champion yet[/]")
    else:
        auc = _figure(champion["metrics"], "auc")
        console.print(
            f"champion [bold]v{champion['version']}[/bold] as of {champion['as_of']}: AUC {auc}; "
            f"{champion['event'].replace('_', ' ')} by {champion['decided_by']}, in force from "
            f"{champion['since']} on"
        )
    if state["overdue"]:
        console.print(f"{ODD}overdue: {', '.join(state['overdue'])}[/]")
    for problem in state["champion_history_problems"]:
        console.print(f"{BAD}champion history: {problem}[/]")


def _tables(state: dict[str, Any]) -> Table:
    names = ("table", "version", "rows in", "published", "quarantined", "duplicates", "warnings")
    table = _grid("Tables (over all partitions)", names)
    for name, facts in state["tables"].items():
        conserved = GOOD if facts["is_conserved"] else BAD
        figures = (facts["delivered"], facts["published"])
        table.add_row(
            name,
            str(facts["version"]),
            *(f"{conserved}{figure:,}[/]" for figure in figures),
            f"{facts['quarantined']:,}",
            f"{facts['duplicates']:,}",
            f"{ODD}{', '.join(facts['failed_checks'])}[/]" if facts["failed_checks"] else "",
        )
    return table


def _models(state: dict[str, Any]) -> Table:
    names = ("as of", "version", "gate", "AUC", "PR-AUC", "calibration error", "failed criteria")
    table = _grid("Candidates (measured on the holdout)", names)
    for candidate in state["candidates"]:
        metrics = candidate["metrics"]
        colour = {"promoted": GOOD, "held": ODD}.get(candidate["decision"], BAD)
        verdict = f"{colour}{candidate['decision'].replace('_', ' ')}[/]"
        values = [_figure(metrics, name) for name in ("auc", "pr_auc", "calibration_error")]
        table.add_row(
            candidate["as_of"],
            f"v{candidate['version']}",
            verdict,
            *values,
            ", ".join(candidate["failed_criteria"]),
        )
    return table


def _figure(metrics: dict[str, float], name: str) -> str:
    return f"{metrics[name]:.4f}" if name in metrics else "not measured"


def _scored(state: dict[str, Any]) -> Table:
    names = ("partition", "predictions", "scored by", "drift", "largest PSI", "moved most")
    table = _grid("Scoring and drift", names)
    for partition, predictions in state["predictions"].items():
        drift = state["drift"].get(partition)
        cells = ("not measured", "", "")
        if drift is not None:
            colour = {"drift": BAD, "stable": GOOD}.get(drift["verdict"], ODD)
            moved = ", ".join(drift["drifted"].split(",")[:3])
            cells = (f"{colour}{drift['verdict']}[/]", f"{drift['max_psi']:.3f}", moved)
        table.add_row(
            partition, f"{predictions['rows']:,}", f"v{predictions['model_version']}", *cells
        )
    return table


def _grid(title: str, names: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    numeric = {"version", "rows in", "published", "quarantined", "duplicates", "predictions"}
    for name in names:
        table.add_column(name, justify="right" if name in numeric else "left")
    return table
