"""The files of volumes, as the Files API serves them."""

import email.utils
import shutil
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from finance_assets_tests.databricks.catalog import Catalog
from finance_assets_tests.databricks.errors import ApiError
from finance_assets_tests.databricks.tasks import Cluster


@dataclass(frozen=True)
class Files:
    """Files and folders of the volumes that there are."""

    cluster: Cluster
    catalog: Catalog

    async def file(self, request: Request) -> Response:
        """The files service: one file."""
        is_write = request.method in ("PUT", "DELETE")
        self.catalog.require_volume(request.path_params["path"], write=is_write)
        path = self.cluster.local(request.path_params["path"])
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

    async def directory(self, request: Request) -> Response:
        """The files service: one folder."""
        is_write = request.method in ("PUT", "DELETE")
        self.catalog.require_volume(request.path_params["path"], write=is_write)
        path = self.cluster.local(request.path_params["path"])
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
