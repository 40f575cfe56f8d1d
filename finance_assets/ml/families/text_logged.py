"""Log a model that no flavour of MLflow's can hold: its text, with the module that serves it."""

import tempfile
from pathlib import Path
from typing import Any

from finance_assets.ml.families.family import Model


def log_text(model: Model, file: str, **common: Any) -> Any:
    """Log the model's text under the name of `file`; `served.py` loads and serves it.

    Args:
        file: where MLflow keeps it; its folder is MLflow's own, `data`.
        common: what every flavour takes.
    """
    import mlflow

    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder, Path(file).name)
        text.write_text(model.text, encoding="utf-8")
        return mlflow.pyfunc.log_model(
            loader_module="finance_assets.ml.families.served", data_path=str(text), **common
        )
