"""Requests generated from the OpenAPI document: no fault of the server, no answer unknown to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from support.fake_config import tree
from support.packages import needed
from support.patience import PATIENCE
from support.serving import serving

schemathesis = needed("schemathesis")

EXAMPLES = 12
CUBE = {"variable": ["Delta0", "status"], "at": ["F0=1"]}
VALID: list[tuple[str, str, dict[str, Any]]] = [
    ("/api/sweeps", "POST", {"body": {"config": tree(name="b")}, "media_type": "application/json"}),
    ("/api/dry-run", "POST", {"body": {"config": tree(name="b")}, "media_type": "application/json"}),
    ("/api/sweeps/{name}/slice", "GET", {"query": CUBE}),
    ("/api/sweeps/{name}/slice", "GET", {"query": CUBE | {"format": "csv"}}),
    ("/api/sweeps/{name}/slice", "GET", {"query": CUBE | {"format": "netcdf"}}),
    ("/api/sweeps/{name}/picture", "GET", {"query": {"at": ["fault=no"], "format": "svg"}}),
    ("/api/sweeps/{name}/points/{point}", "GET", {}),
]


def list_of(checks: Any) -> list[Any]:
    return [
        checks.not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
        checks.response_headers_conformance,
    ]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from photogap.sweeps.server import answers
    from photogap.sweeps.server.schema import Estimate

    patch = pytest.MonkeyPatch()
    # Each estimate is a process of two seconds; what comes before it is what is tried here.
    patch.setattr(
        answers,
        "estimate",
        lambda runner, config: Estimate(points=1, bytes=1, seconds_per_point=1.0, estimated_seconds=1.0),
    )
    with serving(tmp_path_factory.mktemp("api")) as client:
        for name in ("0", "a"):
            client.submit(tree({"fault": ["no", "raise"]}, name=name))
            client.wait(name, PATIENCE)
        schema = schemathesis.openapi.from_url(f"{client.url}/api/openapi.json")
        # A stream ends with its sweep, not with the request that asked for it: see test_watchers.
        yield schema.exclude(path_regex="events$")
    patch.undo()


def test_no_request_breaks_the_server_or_its_document(api: Any) -> None:
    checks = schemathesis.checks
    tried: dict[str, set[int]] = {}
    for found in api.get_all_operations():
        operation = found.ok()
        codes: set[int] = tried.setdefault(operation.label, set())

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            database=None,
        )
        def ask(case: Any) -> None:
            # Every second request goes to a sweep that exists.
            if "name" in case.path_parameters and len(str(case.path_parameters["name"])) % 2:
                case.path_parameters["name"] = "a"
            answer = case.call_and_validate(checks=list_of(checks), timeout=PATIENCE)
            codes.add(answer.status_code)  # noqa: B023

        ask()
    print(tried)
    for path, method, more in VALID:
        case = api[path][method].Case(path_parameters={"name": "a", "point": "F0=1,fault=no"}, **more)
        assert case.call_and_validate(checks=list_of(checks), timeout=PATIENCE).status_code in (200, 201), path
    assert len(tried) >= 15
    assert tried["GET /api/sweeps"] & {200}
    assert any(422 in codes for codes in tried.values())


def test_the_document_names_every_route(tmp_path: Path) -> None:
    with serving(tmp_path) as client:
        paths = client._json("GET", "openapi.json")["paths"]
    for path in (
        "",
        "/cancel",
        "/resume",
        "/retry",
        "/verify",
        "/events",
        "/record",
        "/status",
        "/slice",
        "/picture",
        "/map",
    ):
        assert f"/api/sweeps/{{name}}{path}" in paths
    assert "/api/dry-run" in paths


def test_the_document_explains_itself(tmp_path: Path) -> None:
    """What a reader needs who has nothing else: words for routes, parameters and fields, units, errors, token."""
    with serving(tmp_path) as client:
        document = client._json("GET", "openapi.json")
    groups = {tag["name"] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert set(operation["tags"]) <= groups, path
            assert operation["description"], path
            assert all(p.get("description") for p in operation.get("parameters", [])), path
            for code, answer in operation["responses"].items():
                assert answer["description"] != "Successful Response", path
                if code.startswith("4"):
                    assert set(answer["content"]) == {"application/json"}, (path, code)
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        for field, about in schema.get("properties", {}).items():
            assert about.get("description"), f"{name}.{field}"
    assert schemas["Submission"]["properties"]["config"]["examples"]
    assert schemas["Sweep"]["properties"]["seconds_left"]["description"].endswith(", s.")
    data = document["paths"]["/api/events"]["get"]["responses"]["200"]["content"]["text/event-stream"]
    assert data["itemSchema"]["properties"]["data"]["contentSchema"] == {"$ref": "#/components/schemas/Sweep"}
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


def test_the_examples_of_the_document_are_accepted(tmp_path: Path) -> None:
    from photogap.sweeps.ask.config import parse
    from photogap.sweeps.ask.plan import resolve
    from photogap.sweeps.server.schema import CONFIG
    from photogap.sweeps.text import load_yaml

    assert resolve(parse(load_yaml(CONFIG, "CONFIG"))).grid.size == 16
