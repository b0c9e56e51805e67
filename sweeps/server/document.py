"""The OpenAPI document: FastAPI's, with additions that it cannot derive from the routes."""

from typing import Any

from fastapi import FastAPI

_TAGS = {
    "sweeps": "Submit, list, stop and resume sweeps.",
    "cubes": "Axes, slices, points and pictures of a cube.",
    "progress": "Server-sent events. Each connection starts with the complete current state, so that nothing is "
    "lost between two connections; an EventSource that reconnects needs no Last-Event-ID. The stream of one "
    "sweep ends with it: "
    "close an EventSource at `done`, `cancelled` or `failed`, otherwise it reopens the stream.",
    "server": "Information on the server.",
}
_SWEEP = {"$ref": "#/components/schemas/Sweep"}
_CUBES = ("axes", "map", "plane", "cube", "slice", "picture", "points", "record", "status")


class Documented(FastAPI):
    """Application whose document adds groups, the token, error types and the content of streams."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, built once."""
        if self.openapi_schema is None:
            document = super().openapi()
            document["tags"] = [{"name": name, "description": text} for name, text in _TAGS.items()]
            document["components"]["securitySchemes"] = {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Token of the server, if it has one; a browser uses a cookie instead.",
                }
            }
            # The empty requirement: a server on loopback may have no token.
            document["security"] = [{"token": []}, {}]
            for path, methods in document["paths"].items():
                for operation in methods.values():
                    _complete(path, operation)
        return self.openapi_schema or {}


def _complete(path: str, operation: dict[str, Any]) -> None:
    operation["tags"] = [_tag(path)]
    operation["summary"] = operation["description"].partition(".")[0].partition(";")[0].partition(":")[0]
    for code, answer in operation["responses"].items():
        if not code.startswith("2"):
            # FastAPI gives errors the content type of the route.
            answer["content"] = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        elif answer["description"] == "Successful Response":
            answer["description"] = operation["summary"] + "."
    if path.endswith("events"):
        data = {"type": "string", "contentMediaType": "application/json", "contentSchema": _SWEEP}
        operation["responses"]["200"]["content"]["text/event-stream"] = {
            "itemSchema": {"type": "object", "properties": {"data": data}, "required": ["data"]}
        }


def _tag(path: str) -> str:
    parts = path.split("/")
    if path.endswith("events"):
        return "progress"
    if any(part in _CUBES for part in parts):
        return "cubes"
    return "sweeps" if parts[2] in ("sweeps", "dry-run", "check", "keys") else "server"
