"""Unity Catalog's registered models, as MLflow's client for `databricks-uc` asks for them.

Artifacts go through the Files API under /Models, as that client does where the workspace says so.
As in Unity Catalog, searching gives neither tags nor aliases.
"""

import re
import time

from finance_assets_tests.databricks.errors import ApiError

PREFIX = "2.0/mlflow/unity-catalog/"
# Of one object; and of a tag's two parts, in characters.
MAX_TAGS, MAX_TAG_KEY, MAX_TAG_VALUE = 50, 255, 1000
SDK_ARTIFACTS = "registered-models:is-databricks-sdk-models-artifact-repository-enabled"


class Models:
    """Registered models and their versions, by full name."""

    def __init__(self) -> None:
        self._models: dict[str, dict] = {}
        self._versions: dict[str, list[dict]] = {}

    def answer(self, method: str, path: str, given: dict) -> dict:
        """Answer a request to a path below `unity-catalog/`."""
        handlers = {
            ("GET", SDK_ARTIFACTS): lambda g: {
                "is_databricks_sdk_models_artifact_repository_enabled": True
            },
            ("POST", "registered-models/create"): self._create,
            ("GET", "registered-models/get"): lambda g: {"registered_model": self._model(g)},
            ("POST", "registered-models/set-tag"): lambda g: _tag(self._model(g), g),
            ("DELETE", "registered-models/delete-tag"): lambda g: _untag(self._model(g), g),
            ("POST", "registered-models/alias"): self._set_alias,
            ("DELETE", "registered-models/alias"): self._delete_alias,
            ("GET", "registered-models/alias"): self._by_alias,
            ("POST", "model-versions/create"): self._create_version,
            ("POST", "model-versions/finalize"): self._finalize,
            ("POST", "model-versions/emit-lineage"): lambda g: {},
            ("GET", "model-versions/get"): lambda g: {"model_version": self._version(g)},
            ("GET", "model-versions/search"): self._search,
            ("POST", "model-versions/set-tag"): lambda g: _tag(self._version(g), g),
            ("DELETE", "model-versions/delete-tag"): lambda g: _untag(self._version(g), g),
            ("GET", "model-versions/get-download-uri"): self._download_uri,
        }
        if (method, path) not in handlers:
            raise ApiError(404, "ENDPOINT_NOT_FOUND", f"{method} {path}")
        return handlers[method, path](given)

    def _model(self, given: dict) -> dict:
        name = given["name"]
        if name not in self._models:
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"registered model {name}")
        return self._models[name]

    def _create(self, given: dict) -> dict:
        name = given["name"]
        if name.count(".") != 2:
            raise ApiError(400, "INVALID_PARAMETER_VALUE", f"{name} is not catalog.schema.model")
        if name in self._models:
            raise ApiError(409, "RESOURCE_ALREADY_EXISTS", name)
        self._models[name] = {"name": name, "creation_timestamp": _now(), "aliases": [], "tags": []}
        self._versions[name] = []
        return {"registered_model": self._models[name]}

    def _create_version(self, given: dict) -> dict:
        model = self._model(given)
        version = {
            "name": model["name"],
            "version": str(len(self._versions[model["name"]]) + 1),
            "creation_timestamp": _now(),
            "source": given.get("source", ""),
            "run_id": given.get("run_id", ""),
            "status": "PENDING_REGISTRATION",
            "storage_location": f"s3://stand-in/{model['name']}",
            "tags": [],
            "aliases": [],
        }
        for tag in given.get("tags", []):
            _tag(version, tag)
        self._versions[model["name"]].append(version)
        return {"model_version": version}

    def _version(self, given: dict) -> dict:
        self._model(given)
        for version in self._versions[given["name"]]:
            if version["version"] == str(given["version"]):
                return version
        raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"{given['name']} {given['version']}")

    def _finalize(self, given: dict) -> dict:
        version = self._version(given)
        version["status"] = "READY"
        return {"model_version": version}

    def _search(self, given: dict) -> dict:
        wanted = re.search(r"name\s*=\s*'([^']+)'", given.get("filter", ""))
        found = self._versions.get(wanted.group(1), []) if wanted else []
        hidden = ("tags", "aliases")
        shown = [{k: v for k, v in version.items() if k not in hidden} for version in found]
        return {"model_versions": shown[::-1]}

    def _set_alias(self, given: dict) -> dict:
        model, version = self._model(given), self._version(given)
        kept = [a for a in model["aliases"] if a["alias"] != given["alias"]]
        model["aliases"] = [*kept, {"alias": given["alias"], "version": version["version"]}]
        return {}

    def _delete_alias(self, given: dict) -> dict:
        model = self._model(given)
        model["aliases"] = [a for a in model["aliases"] if a["alias"] != given["alias"]]
        return {}

    def _by_alias(self, given: dict) -> dict:
        for alias in self._model(given)["aliases"]:
            if alias["alias"] == given["alias"]:
                return {"model_version": self._version({**given, "version": alias["version"]})}
        raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"alias {given['alias']}")

    def _download_uri(self, given: dict) -> dict:
        return {"artifact_uri": self._version(given)["storage_location"]}


def _tag(tagged: dict, given: dict) -> dict:
    """Set a tag; Unity Catalog takes no such characters in a key, and no long or padded value."""
    key, value = given["key"], given["value"]
    if re.search(r"[.,\-=/:]", key) or len(key) > MAX_TAG_KEY:
        raise ApiError(400, "INVALID_PARAMETER_VALUE", f"tag key {key}")
    if len(value) > MAX_TAG_VALUE or value != value.strip():
        raise ApiError(400, "INVALID_PARAMETER_VALUE", f"tag value of {key}: {len(value)}")
    _untag(tagged, given)
    if len(tagged["tags"]) == MAX_TAGS:
        raise ApiError(400, "INVALID_PARAMETER_VALUE", f"more than {MAX_TAGS} tags")
    tagged["tags"].append({"key": key, "value": value})
    return {}


def _untag(tagged: dict, given: dict) -> dict:
    tagged["tags"] = [tag for tag in tagged["tags"] if tag["key"] != given["key"]]
    return {}


def _now() -> int:
    return int(time.time() * 1000)
