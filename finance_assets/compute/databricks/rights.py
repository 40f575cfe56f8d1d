"""Rights: who may do what in a deployed target. The one list of it: the bundle grants it, and a
deployment takes back whatever else was granted; the doctor asks for it.

Whoever deploys (the service principal) owns what is deployed, and needs no grants.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

READ, BOTH = ("READ_VOLUME",), ("READ_VOLUME", "WRITE_VOLUME")
SEE = ("USE_SCHEMA", "SELECT")
# The layers that a decision writes: the champion history and what was measured for it, and the
# looks at holdouts.
DECIDED = frozenset({"models", "monitoring"})


@dataclass(frozen=True)
class Role:
    """What one role may do; its principal is the bundle's variable of the role's name.

    `layers`: with the schemas of tables; `decided`: with those that a decision writes, too; `home`:
    with the schema of volumes and registered models; `experiments`: level on MLflow's.
    `kind` says what the permissions of experiments call the principal.
    """

    home: tuple[str, ...]
    layers: tuple[str, ...] = ()
    decided: tuple[str, ...] = ()
    volumes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    experiments: str = ""
    kind: str = "group_name"

    @property
    def writes(self) -> tuple[str, ...]:
        """The volumes that it may write to."""
        return tuple(name for name, rights in self.volumes.items() if rights == BOTH)

    def on_layer(self, layer: str) -> tuple[str, ...]:
        """What it may do with the schema of a layer."""
        return (*self.layers, *(self.decided if layer in DECIDED else ()))


ROLES = {
    # Runs Dagster. What it submits runs as itself: tables and models are made by it.
    "orchestrator": Role(
        home=("USE_SCHEMA", "CREATE_MODEL", "EXECUTE", "APPLY_TAG"),
        layers=(*SEE, "CREATE_TABLE", "MODIFY"),
        volumes={"staging": BOTH, "landing": READ, "runs": BOTH},
        experiments="CAN_MANAGE",
        kind="service_principal_name",
    ),
    "deliverers": Role(home=("USE_SCHEMA",), volumes={"landing": BOTH}),
    # Ask: status, history, trace, card, reproduce. `staging` holds the archived deliveries.
    "readers": Role(
        home=("USE_SCHEMA", "EXECUTE"),
        layers=SEE,
        volumes={"staging": READ, "questions": BOTH},
        experiments="CAN_READ",
    ),
    # Ask as well, and approve and roll back, which may measure a candidate once more: what a
    # decision writes is theirs to add to, and the tags and cards of a version. Nobody else runs
    # what lies in their volume.
    "approvers": Role(
        home=("USE_SCHEMA", "EXECUTE", "APPLY_TAG"),
        layers=SEE,
        decided=("MODIFY",),
        volumes={"staging": READ, "approvals": BOTH},
        experiments="CAN_EDIT",
    ),
}
VOLUMES = {
    "staging": "Rows that are audited before they are published",
    "landing": "Deliveries as they come",
    "runs": "Wheels, and the messages between Dagster and its runs",
    "questions": "The same of what readers ask",
    "approvals": "The same of what approvers ask and decide",
}
