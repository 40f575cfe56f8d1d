"""Notebooks: run the steps of some kinds of a use case, as their widgets say."""

from typing import Any

from finance_assets.compute.remote import find_use_case, main, take_settings
from finance_assets.step.declaration import Kind
from finance_assets.use_cases import all_use_cases


def run(dbutils: Any, *kinds: str) -> None:
    """Run a use case's steps of these kinds, one after the other, over one partition.

    Widgets: `use_case` names the use case, the first one if it is empty; `partition` the
    partition, the calendar's first one if it is empty; `settings` holds NAME=VALUE lines, for
    what differs from the defaults of a cluster.

    Raises:
        SettingsError: there is no use case of the name.
    """
    lines = (line.strip() for line in dbutils.widgets.get("settings").splitlines())
    settings = ["engine=cluster", *(line for line in lines if line)]
    # Which use cases there are is a setting.
    take_settings(settings)
    name = dbutils.widgets.get("use_case").strip() or next(iter(all_use_cases()))
    use_case, wanted = find_use_case(name), {Kind[kind] for kind in kinds}
    keys = [step.key for step in use_case.steps if step.kind in wanted]
    arguments = [part for key in keys for part in ("--step", key)]
    first = dbutils.widgets.get("partition").strip() or use_case.calendar.first
    main([*arguments, "--first", first, "--run-id", "notebook"])
