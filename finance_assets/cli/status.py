"""Status: what there is of the use cases, on the terminal or as JSON."""

import json
from dataclasses import asdict

from finance_assets.cli.common import ask_all, console
from finance_assets.cli.render import render_use_case, side_by_side
from finance_assets.commands.status import Status
from finance_assets.step.use_case import UseCase


def show_status(chosen: dict[str, UseCase], as_json: bool = False) -> None:
    """Print what the lakehouse and the registry hold."""
    states = dict(zip(chosen, ask_all(Status(), chosen.values()), strict=True))
    if as_json:
        print(json.dumps({"use_cases": {n: asdict(one) for n, one in states.items()}}, indent=2))
        return
    for name, facts in states.items():
        render_use_case(console, name, facts)
    if len(states) > 1:
        console.print(side_by_side(states))
