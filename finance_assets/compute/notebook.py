"""Notebooks: run steps from one, with the partition and the settings of its widgets."""

from typing import Any

from finance_assets.compute.remote import main


def run(dbutils: Any, *keys: str) -> None:
    """Run the steps one after the other over the partition of the widget `partition`.

    The widget `settings` holds NAME=VALUE lines, for what differs from the defaults of a cluster.
    """
    lines = dbutils.widgets.get("settings").splitlines()
    settings = ["engine=cluster", *(line.strip() for line in lines if line.strip())]
    arguments = [part for key in keys for part in ("--step", key)]
    arguments += ["--first", dbutils.widgets.get("partition"), "--run-id", "notebook"]
    main([*arguments, *(part for pair in settings for part in ("--set", pair))])
