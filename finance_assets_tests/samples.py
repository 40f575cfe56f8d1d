"""Samples: the beginning of what is shipped with a use case, whichever it is, as its deliveries."""

import gzip
import shutil
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from finance_assets.step.use_case import UseCase


def deliver_first_lines(landing: Path, use_cases: Iterable[UseCase], lines: int) -> None:
    """Deliver so many rows of each file of text, and files of other formats whole."""
    for use_case in use_cases:
        for source in filter(None, (step.source for step in use_case.steps)):
            for file in sorted(use_case.samples.glob(source.file_name("*"))):
                _deliver(file, landing / use_case.name / file.relative_to(use_case.samples), lines)


def _deliver(file: Path, target: Path, lines: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not file.name.endswith((".csv", ".csv.gz")):
        shutil.copy(file, target)
        return
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rb") as whole, opened(target, "wb") as part:
        part.writelines(islice(whole, lines + 1))
