"""Results: a step's result as JSON and back, to bring it from where the step ran.

What is lost on the way is only what nobody computes with: preview values become text.
"""

import base64
import json
from dataclasses import asdict, dataclass

from finance_assets.codec import Json, of_record
from finance_assets.lakehouse.audit import CheckOutcome
from finance_assets.lakehouse.history import Ledger, Publication
from finance_assets.lakehouse.stored import Row
from finance_assets.step.declaration import Facts, StepResult


def to_record(result: StepResult) -> Json:
    """The result as plain JSON values."""
    publication = result.publication
    record = {
        "outcomes": [asdict(outcome) for outcome in result.outcomes],
        "publication": json.loads(publication.to_json()) if publication else None,
        "version": publication.version if publication else None,
        "changed": result.changed,
        "fingerprints": result.fingerprints,
        "ledgers": {partition: asdict(one) for partition, one in result.ledgers.items()},
        "metadata": result.metadata,
        "by_partition": result.by_partition,
        "stated": result.stated,
        "plots": {k: base64.b64encode(png).decode() for k, png in result.plots.items()},
        "documents": result.documents,
        "preview": result.preview,
    }
    return dict(json.loads(json.dumps(record, default=str)))


@dataclass(frozen=True)
class _Sent:
    """A result on its way: plots are text, and the publication has its version beside it."""

    outcomes: list[CheckOutcome]
    publication: Json
    version: int | None
    changed: tuple[str, ...]
    fingerprints: dict[str, str]
    ledgers: dict[str, Ledger]
    metadata: dict[str, Json]
    by_partition: dict[str, Facts]
    stated: dict[str, dict[str, Facts]]
    plots: dict[str, str]
    documents: dict[str, str]
    preview: list[Row]


def from_record(record: Json) -> StepResult:
    """The result that a record was made of.

    Raises:
        ValueError: it is none; another version of this package may have sent it.
    """
    sent = of_record(_Sent, record)
    publication = None
    if sent.publication is not None and sent.version is not None:
        publication = Publication.from_json(json.dumps(sent.publication), sent.version)
    return StepResult(
        outcomes=sent.outcomes,
        publication=publication,
        changed=sent.changed,
        fingerprints=sent.fingerprints,
        ledgers=sent.ledgers,
        metadata=sent.metadata,
        by_partition=sent.by_partition,
        stated=sent.stated,
        plots={title: base64.b64decode(text) for title, text in sent.plots.items()},
        documents=sent.documents,
        preview=sent.preview,
    )
