"""The description as a whole, and the page that holds it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from django_image_tasks.exception_handler import ERRORS
from tests.docs.project import Project
from tests.docs.readme import ROOT, blocks
from tests.openapi.described import describe, query_of

PAGE = "docs/how-to/openapi.md"
DETAIL = {"$ref": "#/components/schemas/ImageErrorDetail"}


def test_the_file_in_docs_is_what_the_documented_command_writes(tmp_path: Path) -> None:
    [_, command] = blocks("sh", page=PAGE)
    *start, file = shlex.split(command)
    assert start[:2] == ["python", "manage.py"]

    call_command(*start[2:], str(tmp_path / "openapi.yaml"))

    assert (tmp_path / "openapi.yaml").read_text() == (ROOT / file).read_text(), f"Run: {command}"


def test_every_route_of_the_example_project_is_described_without_a_warning() -> None:
    paths = describe("example_project.urls")["paths"]

    assert {"/v2/tasks", "/image/v2/tasks", "/versions", "/image/versions"} <= set(paths)


def test_the_page_as_pasted_into_a_fresh_project(tmp_path: Path) -> None:
    project = Project(tmp_path)
    for file in ("settings.py", "urls.py"):
        project.paste_readme(file)
        [code] = [code for code in blocks("python", page=PAGE) if code.startswith(f"# {file}\n")]
        with (tmp_path / "yourproject" / file).open("a") as end:
            end.write(code)

    project.manage("check")
    printed = project.manage("spectacular", "--validate", "--fail-on-warn")
    assert "/v2/tasks/{id}/actions/cancel:" in printed


def operations() -> list[dict[str, Any]]:
    return [operation for path in describe()["paths"].values() for operation in path.values()]


def test_every_error_of_the_contract_has_its_body_described() -> None:
    document = describe()
    described = {
        int(status)
        for operation in operations()
        for status in operation["responses"]
        if status.isdecimal() and status > "4"
    }

    # 405 is the answer to what is no operation.
    assert described == set(ERRORS) - {405}
    schemas = document["components"]["schemas"]
    assert set(schemas["ImageErrorDetail"]["required"]) == {"code", "title", "message"}
    for status in described:
        key, _ = ERRORS[status]
        name = f"ImageError{key[0].upper()}{key[1:]}"
        assert schemas[name]["properties"] == {key: DETAIL}
        assert schemas[name]["required"] == [key]


def test_every_answer_carries_the_requests_id_and_is_private() -> None:
    components = describe()["components"]
    answers = [
        answer
        for operation in operations()
        for answer in operation["responses"].values()
        if "$ref" not in answer
    ]
    for answer in [*answers, *components["responses"].values()]:
        assert {"x-openstack-request-id", "Cache-Control"} <= {*answer["headers"]}


def test_what_is_created_has_a_location() -> None:
    created = [
        operation["responses"]["201"]
        for operation in operations()
        if "201" in operation["responses"]
    ]

    assert [set(answer["headers"]) for answer in created] == [
        {"x-openstack-request-id", "Cache-Control", "Location", "Retry-After"}
    ] * 2


def test_the_token_is_described_once_and_the_versions_need_none() -> None:
    document = describe()

    assert document["components"]["securitySchemes"]["XAuthToken"]["name"] == "X-Auth-Token"
    assert document["paths"]["/v2/tasks"]["get"]["security"] == [
        {"XAuthToken": []},
        {"cookieAuth": []},
        {"basicAuth": []},
    ]
    assert document["paths"]["/versions"]["get"]["security"] == [{}]
    assert "300" in document["paths"]["/"]["get"]["responses"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("status", ["pending", 'in:pending,"failure"', ""]),
        ("type", ["import", "in:import"]),
        (
            "created_at",
            ["gte:2024-02-29T12:00:00Z", "2024-02-29", "lt:2024-01-01T00:00:00.5+02:00"],
        ),
        ("sort", ["status:asc,created_at", "name"]),
        ("sort_key", ["expires_at"]),
        ("sort_dir", ["asc", ""]),
        ("id", ["A" * 32, f"in:{'0' * 32},1e5b0c1c-0000-4000-8000-000000000000"]),
    ],
)
def test_a_parameter_may_be_repeated_and_takes_the_forms_of_the_contract(
    api: Any, name: str, values: list[str]
) -> None:
    parameter = query_of(describe())[name]

    assert (parameter["style"], parameter["explode"]) == ("form", True)
    items = parameter["schema"]["items"]
    for value in values:
        assert value in items.get("enum", [value])
        assert re.search(items.get("pattern", ""), value)
        assert api.get("/v2/tasks", {name: value}).status_code == 200
