"""Results: a step's result as JSON and back, to bring it from where the step ran.

What is lost on the way is only what nobody computes with: preview values become text.
"""

import base64
import json
from dataclasses import asdict
from typing import Any

from finance_assets.lakehouse.audit import CheckOutcome
from finance_assets.lakehouse.contract import Check, Severity
from finance_assets.lakehouse.history import Publication
from finance_assets.step.declaration import StepResult


def to_record(result: StepResult) -> dict[str, Any]:
    """The result as plain JSON values."""
    publication = result.publication
    record = {
        "outcomes": [asdict(outcome) for outcome in result.outcomes],
        "publication": json.loads(publication.to_json()) if publication else None,
        "version": publication.version if publication else None,
        "changed": result.changed,
        "fingerprints": result.fingerprints,
        "metadata": result.metadata,
        "by_partition": result.by_partition,
        "stated": result.stated,
        "plots": {k: base64.b64encode(png).decode() for k, png in result.plots.items()},
        "documents": result.documents,
        "preview": result.preview,
    }
    return dict(json.loads(json.dumps(record, default=str)))


def from_record(record: dict[str, Any]) -> StepResult:
    """The result that a record was made of."""
    publication = None
    if record["publication"] is not None:
        text = json.dumps(record["publication"])
        publication = Publication.from_json(text, int(record["version"]))
    return StepResult(
        outcomes=[_outcome(outcome) for outcome in record["outcomes"]],
        publication=publication,
        changed=tuple(record["changed"]),
        fingerprints=record["fingerprints"],
        metadata=record["metadata"],
        by_partition=record["by_partition"],
        stated=record["stated"],
        plots={title: base64.b64decode(text) for title, text in record["plots"].items()},
        documents=record["documents"],
        preview=record["preview"],
    )


def _outcome(record: dict[str, Any]) -> CheckOutcome:
    check = record["check"]
    return CheckOutcome(
        Check(check["name"], check["description"], Severity(check["severity"])),
        record["is_passed"],
        record["observed"],
        record["by_partition"],
    )
