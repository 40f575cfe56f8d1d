"""The REST API of the stand-in: routes, and how errors look. What they do is elsewhere."""

import base64
import json
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from finance_assets_tests.databricks.catalog import CALLER, HOMES, Catalog, require_home
from finance_assets_tests.databricks.errors import ApiError
from finance_assets_tests.databricks.experiments import Experiments
from finance_assets_tests.databricks.files import Files
from finance_assets_tests.databricks.jobs import Jobs
from finance_assets_tests.databricks.models import PREFIX, Models

JSON_HEADERS = {"content-type": "application/json"}


class Api:
    """The workspace's services behind their routes."""

    def __init__(self, root: Path, jobs: Jobs, mlflow_url: str | None) -> None:
        self.root, self.jobs = root, jobs
        self.mlflow_url = mlflow_url
        self.secrets: dict[tuple[str, str], str] = {}
        self.catalog = Catalog(jobs.cluster.volumes)
        for home in HOMES:
            jobs.cluster.local(home).mkdir(parents=True, exist_ok=True)
        self.models = Models()
        self.experiments = Experiments()
        self._http = httpx.AsyncClient(timeout=120)

    def app(self) -> Starlette:
        """The ASGI application."""
        jobs, routes = self.jobs, []
        for version in ("2.1", "2.2"):
            base = f"/api/{version}/jobs"
            routes += [
                self._post(f"{base}/runs/submit", jobs.submit),
                self._post(f"{base}/runs/cancel", jobs.cancel),
                self._post(f"{base}/runs/delete", jobs.delete_run),
                self._get(f"{base}/runs/get", lambda q: jobs.get(q["run_id"])),
                self._get(f"{base}/runs/get-output", lambda q: jobs.output(q["run_id"])),
                self._get(f"{base}/runs/list", lambda q: jobs.list_runs()),
                self._post(f"{base}/create", jobs.create),
                self._post(f"{base}/reset", jobs.reset),
                self._post(f"{base}/delete", jobs.delete),
                self._post(f"{base}/run-now", jobs.run_now),
                self._get(f"{base}/get", lambda q: jobs.get_job(q["job_id"])),
                self._get(
                    f"{base}/list",
                    lambda q: {"jobs": [jobs.get_job(i) for i in jobs.jobs]},
                ),
            ]
        files, verbs = Files(jobs.cluster, self.catalog), ["GET", "PUT", "HEAD", "DELETE"]
        return Starlette(
            routes=[
                *routes,
                Route("/api/2.0/fs/files{path:path}", self._guarded(files.file), methods=verbs),
                Route(
                    "/api/2.0/fs/directories{path:path}",
                    self._guarded(files.directory),
                    methods=verbs,
                ),
                self._get("/api/2.0/preview/scim/v2/Me", lambda q: self._me()),
                self._post("/api/2.0/workspace/mkdirs", self._workspace_mkdirs),
                self._post("/api/2.0/workspace/import", self._workspace_import),
                self._get("/api/2.0/workspace/get-status", self._workspace_status),
                self._get("/api/2.1/clusters/get", jobs.compute.cluster),
                self._get("/api/2.1/clusters/spark-versions", jobs.compute.versions),
                self._get("/api/2.1/clusters/list-node-types", jobs.compute.machines),
                self._get("/api/2.0/policies/clusters/get", jobs.compute.policy),
                self._post("/api/2.0/secrets/put", self._put_secret),
                self._get("/api/2.0/secrets/get", self._get_secret),
                self._get(
                    "/api/2.1/unity-catalog/effective-permissions/{kind}/{name}",
                    lambda q: self.catalog.privileges(q["name"]),
                ),
                Route(
                    "/api/2.1/unity-catalog/{kind}",
                    self._guarded(self._objects),
                    methods=["GET", "POST"],
                ),
                Route(
                    "/api/2.1/unity-catalog/{kind}/{name}",
                    self._guarded(self._object),
                    methods=["GET", "DELETE"],
                ),
                Route(
                    "/api/{rest:path}",
                    self._guarded(self._mlflow),
                    methods=["GET", "POST", "PATCH", "DELETE", "PUT"],
                ),
            ]
        )

    def _post(self, path: str, handler) -> Route:
        async def endpoint(request: Request) -> Response:
            body = json.loads(await request.body() or b"{}")
            return JSONResponse(await run_in_threadpool(handler, body))

        return Route(path, self._guarded(endpoint), methods=["POST"])

    def _get(self, path: str, handler) -> Route:
        async def endpoint(request: Request) -> Response:
            given = {**request.query_params, **request.path_params}
            return JSONResponse(await run_in_threadpool(handler, given))

        return Route(path, self._guarded(endpoint), methods=["GET"])

    def _guarded(self, endpoint):
        """With the token's owner as the caller, and errors in the API's form."""

        async def checked(request: Request) -> Response:
            sent = request.headers.get("authorization")
            people = self.jobs.cluster.tokens
            callers = [who for who, token in people.items() if sent == f"Bearer {token}"]
            if not callers:
                return _error(ApiError(401, "UNAUTHENTICATED", "Credential was not sent"))
            CALLER.set(callers[0])
            try:
                return await endpoint(request)
            except ApiError as error:
                return _error(error)
            except (KeyError, ValueError) as error:
                return _error(ApiError(400, "INVALID_PARAMETER_VALUE", repr(error)))

        return checked

    def _me(self) -> dict:
        groups = [{"display": "engineers", "value": "7"}]
        return {"id": "1", "userName": CALLER.get(), "active": True, "groups": groups}

    def _workspace_mkdirs(self, body: dict) -> dict:
        require_home(body["path"])
        try:
            self.jobs.cluster.local(body["path"]).mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise ApiError(400, "RESOURCE_ALREADY_EXISTS", f"{body['path']} is a file") from error
        return {}

    def _workspace_import(self, body: dict) -> dict:
        suffix = ".py" if body.get("format", "SOURCE") == "SOURCE" else ""
        path = self.jobs.cluster.local(body["path"] + suffix)
        if not path.parent.is_dir():
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"{body['path']}: no such folder")
        path.write_bytes(base64.b64decode(body["content"]))
        return {}

    def _workspace_status(self, query: dict) -> dict:
        path = self.jobs.cluster.local(query["path"])
        if path.with_name(path.name + ".py").exists():
            return {"path": query["path"], "object_type": "NOTEBOOK", "language": "PYTHON"}
        if not path.exists():
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", query["path"])
        return {"path": query["path"], "object_type": "DIRECTORY" if path.is_dir() else "FILE"}

    def _put_secret(self, body: dict) -> dict:
        self.secrets[body["scope"], body["key"]] = body["string_value"]
        return {}

    def _get_secret(self, query: dict) -> dict:
        known = (query["scope"], query["key"])
        if known not in self.secrets:
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", str(known))
        value = base64.b64encode(self.secrets[known].encode()).decode()
        return {"key": query["key"], "value": value}

    async def _objects(self, request: Request) -> Response:
        """Unity Catalog's schemas, volumes, tables and models: made and listed."""
        kind = request.path_params["kind"]
        if request.method == "GET":
            return JSONResponse({kind: list(self.catalog.known(kind).values())})
        return JSONResponse(self.catalog.create(kind, await request.json()))

    async def _object(self, request: Request) -> Response:
        kind, name = request.path_params["kind"], request.path_params["name"]
        act = self.catalog.delete if request.method == "DELETE" else self.catalog.get
        return JSONResponse(act(kind, name))

    async def _mlflow(self, request: Request) -> Response:
        """Registered models by Unity Catalog, and all else of MLflow by a real MLflow server."""
        rest = request.path_params["rest"]
        if rest.startswith(PREFIX):
            given = dict(request.query_params) or json.loads(await request.body() or b"{}")
            path = rest.removeprefix(PREFIX)
            return JSONResponse(self.models.answer(request.method, path, given))
        if self.mlflow_url is None or "mlflow/" not in rest:
            raise ApiError(404, "ENDPOINT_NOT_FOUND", f"No API found for {rest}")
        body = await request.body()
        given = {**request.query_params, **json.loads(body or b"{}")}
        if rest.endswith("mlflow/experiments/create"):
            self._require_parent(given["name"])
        self.experiments.require(request.method, rest, given, CALLER.get())
        answer = await self._http.request(
            request.method,
            f"{self.mlflow_url}/api/{rest}",
            params=request.query_params,
            content=body,
            headers=JSON_HEADERS,
        )
        self.experiments.learn(rest, given, answer.json(), CALLER.get())
        return Response(answer.content, answer.status_code, JSON_HEADERS)

    def _require_parent(self, experiment: str) -> None:
        """An experiment is an object of the workspace, and lies in a folder that is there."""
        if not experiment.startswith("/"):
            raise ApiError(400, "INVALID_PARAMETER_VALUE", f"{experiment} is no absolute path")
        parent = experiment.rsplit("/", 1)[0]
        if not self.jobs.cluster.local(parent).is_dir():
            text = f"Parent directory {parent} does not exist."
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", text)


def _error(error: ApiError) -> Response:
    body = {"error_code": error.code, "message": str(error)}
    return JSONResponse(body, status_code=error.status)
