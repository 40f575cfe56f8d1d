"""The REST API of the stand-in: routes, and how errors look. What they do is elsewhere."""

import base64
import email.utils
import json
import shutil
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from finance_assets_tests.databricks.jobs import ApiError, Jobs
from finance_assets_tests.databricks.models import PREFIX, Models

JSON_HEADERS = {"content-type": "application/json"}


class Api:
    """The workspace's services behind their routes."""

    def __init__(self, root: Path, jobs: Jobs, token: str, mlflow_url: str | None) -> None:
        self.root, self.jobs, self.token = root, jobs, token
        self.mlflow_url = mlflow_url
        self.secrets: dict[tuple[str, str], str] = {}
        self.catalog: dict[str, dict[str, dict]] = {}
        self.models = Models()
        self._http = httpx.AsyncClient(timeout=120)

    def app(self) -> Starlette:
        """The ASGI application."""
        jobs, routes = self.jobs, []
        for version in ("2.1", "2.2"):
            base = f"/api/{version}/jobs"
            routes += [
                self._post(f"{base}/runs/submit", jobs.submit),
                self._post(f"{base}/runs/cancel", jobs.cancel),
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
        files = ["GET", "PUT", "HEAD", "DELETE"]
        return Starlette(
            routes=[
                *routes,
                Route("/api/2.0/fs/files{path:path}", self._guarded(self._file), methods=files),
                Route(
                    "/api/2.0/fs/directories{path:path}",
                    self._guarded(self._directory),
                    methods=files,
                ),
                self._get("/api/2.0/preview/scim/v2/Me", lambda q: self._me()),
                self._post("/api/2.0/workspace/mkdirs", self._workspace_mkdirs),
                self._post("/api/2.0/workspace/import", self._workspace_import),
                self._get("/api/2.0/workspace/get-status", self._workspace_status),
                self._get("/api/2.1/clusters/get", self._cluster),
                self._post("/api/2.0/secrets/put", self._put_secret),
                self._get("/api/2.0/secrets/get", self._get_secret),
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
            return JSONResponse(await run_in_threadpool(handler, dict(request.query_params)))

        return Route(path, self._guarded(endpoint), methods=["GET"])

    def _guarded(self, endpoint):
        """With the token checked, and errors in the API's form."""

        async def checked(request: Request) -> Response:
            if request.headers.get("authorization") != f"Bearer {self.token}":
                return _error(ApiError(401, "UNAUTHENTICATED", "Credential was not sent"))
            try:
                return await endpoint(request)
            except ApiError as error:
                return _error(error)
            except (KeyError, ValueError) as error:
                return _error(ApiError(400, "INVALID_PARAMETER_VALUE", repr(error)))

        return checked

    async def _file(self, request: Request) -> Response:
        path = self.jobs.cluster.local(request.path_params["path"])
        if request.method == "PUT":
            if request.path_params["path"].startswith("/Models/"):
                # A model version's storage is there once the version is.
                path.parent.mkdir(parents=True, exist_ok=True)
            if not path.parent.is_dir():
                raise ApiError(404, "NOT_FOUND", f"{path.parent} does not exist")
            if path.exists() and request.query_params.get("overwrite") != "true":
                raise ApiError(409, "ALREADY_EXISTS", "the file exists")
            path.write_bytes(await request.body())
            return Response(status_code=204)
        if not path.is_file():
            raise ApiError(404, "NOT_FOUND", "the file does not exist")
        if request.method == "DELETE":
            path.unlink()
            return Response(status_code=204)
        stat = path.stat()
        headers = {
            "content-type": "application/octet-stream",
            "last-modified": email.utils.formatdate(stat.st_mtime, usegmt=True),
            "content-length": str(stat.st_size),
        }
        if request.method == "HEAD":
            return Response(headers=headers)
        return Response(path.read_bytes(), headers=headers)

    async def _directory(self, request: Request) -> Response:
        path = self.jobs.cluster.local(request.path_params["path"])
        if request.method == "PUT":
            path.mkdir(parents=True, exist_ok=True)
            return Response(status_code=204)
        if not path.is_dir():
            raise ApiError(404, "NOT_FOUND", "the directory does not exist")
        if request.method == "DELETE":
            shutil.rmtree(path)
            return Response(status_code=204)
        if request.method == "HEAD":
            return Response()
        asked = request.path_params["path"].rstrip("/")
        contents = [
            {
                "name": entry.name,
                "path": f"{asked}/{entry.name}",
                "is_directory": entry.is_dir(),
                "file_size": entry.stat().st_size,
            }
            for entry in sorted(path.iterdir())
        ]
        return JSONResponse({"contents": contents})

    def _me(self) -> dict:
        return {"id": "1", "userName": "somebody@example.com", "active": True}

    def _workspace_mkdirs(self, body: dict) -> dict:
        self.jobs.cluster.local(body["path"]).mkdir(parents=True, exist_ok=True)
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

    def _cluster(self, query: dict) -> dict:
        return {"cluster_id": query["cluster_id"], "state": "RUNNING"}

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
        known = self.catalog.setdefault(kind, {})
        if request.method == "GET":
            return JSONResponse({kind: list(known.values())})
        body = await request.json()
        parts = [body.get("catalog_name"), body.get("schema_name"), body["name"]]
        name = ".".join(part for part in parts if part)
        if name in known:
            raise ApiError(409, "RESOURCE_ALREADY_EXISTS", f"{kind} {name} exists")
        known[name] = {**body, "full_name": name}
        return JSONResponse(known[name])

    async def _object(self, request: Request) -> Response:
        kind, name = request.path_params["kind"], request.path_params["name"]
        known = self.catalog.setdefault(kind, {})
        if name not in known:
            raise ApiError(404, "NOT_FOUND", f"{kind} {name}")
        if request.method == "DELETE":
            del known[name]
            return JSONResponse({})
        return JSONResponse(known[name])

    async def _mlflow(self, request: Request) -> Response:
        """Registered models by Unity Catalog, and all else of MLflow by a real MLflow server."""
        rest = request.path_params["rest"]
        if rest.startswith(PREFIX):
            given = dict(request.query_params) or json.loads(await request.body() or b"{}")
            path = rest.removeprefix(PREFIX)
            return JSONResponse(self.models.answer(request.method, path, given))
        if self.mlflow_url is None or "mlflow/" not in rest:
            raise ApiError(404, "ENDPOINT_NOT_FOUND", f"No API found for {rest}")
        answer = await self._http.request(
            request.method,
            f"{self.mlflow_url}/api/{rest}",
            params=request.query_params,
            content=await request.body(),
            headers=JSON_HEADERS,
        )
        return Response(answer.content, answer.status_code, JSON_HEADERS)


def _error(error: ApiError) -> Response:
    body = {"error_code": error.code, "message": str(error)}
    return JSONResponse(body, status_code=error.status)
