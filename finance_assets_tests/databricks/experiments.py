"""Who may see and change which MLflow experiment: who made it, whom it was shared with, and
everybody where it lies in the shared folder. Runs inherit it, as in a workspace.
"""

from collections.abc import Iterator

from finance_assets_tests.databricks.errors import ApiError

LEVELS = ("CAN_READ", "CAN_EDIT", "CAN_MANAGE")
# What only asks, although it is posted.
QUESTIONS = ("/search", "/get", "/get-history", "/get-by-name", "/list")


class Experiments:
    """Experiments and runs by id, as the answers of MLflow tell of them."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._of_runs: dict[str, str] = {}
        # By name and user; the makers among them.
        self._levels: dict[tuple[str, str], str] = {}

    def share(self, name: str, user: str, level: str) -> None:
        """What the bundle's permissions do."""
        assert level in LEVELS
        self._levels[name, user] = level

    def require(self, method: str, path: str, given: dict, user: str) -> None:
        """Refuse what the user may not do with the experiments that a request is about."""
        is_question = method == "GET" or path.endswith(QUESTIONS)
        for name in self._named(given):
            level = "CAN_MANAGE" if name.startswith("/Shared/") else self._levels.get((name, user))
            if level is None or (level == "CAN_READ" and not is_question):
                text = f"{user} does not have {'Read' if is_question else 'Edit'} on {name}"
                raise ApiError(403, "PERMISSION_DENIED", text)

    def _named(self, given: dict) -> Iterator[str]:
        ids = [given.get("experiment_id"), *given.get("experiment_ids", [])]
        ids += [self._of_runs.get(str(given.get(key))) for key in ("run_id", "run_uuid")]
        yield from (self._names[str(one)] for one in ids if str(one) in self._names)
        if given.get("experiment_name") in self._names.values():
            yield given["experiment_name"]

    def learn(self, path: str, given: dict, answer: dict, user: str) -> None:
        """Take note of what a request made."""
        if path.endswith("mlflow/experiments/create") and "experiment_id" in answer:
            self._names[str(answer["experiment_id"])] = given["name"]
            self._levels.setdefault((given["name"], user), "CAN_MANAGE")
        if path.endswith("mlflow/runs/create") and "run" in answer:
            info = answer["run"]["info"]
            self._of_runs[info["run_id"]] = str(info["experiment_id"])
