"""What the serializers read and send is what the description says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.handlers.base import Handler
from tests.conftest import SOURCE
from tests.openapi.described import describe, validator

EVERYTHING = {
    "status": "success",
    "result": {},
    "image_id": "1e5b0c1c-0000-4000-8000-000000000000",
    "request_id": "req-1",
    "user_id": "7",
}


class Resize(Handler):
    type = "resize/now"
    title = "Resize an image"
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "required": ["sides"],
        "properties": {"sides": {"type": "array", "items": {"$ref": "#/$defs/side"}}},
        "$defs": {"side": {"type": "integer", "minimum": 1}},
        "examples": [{"sides": [1]}],
    }

    def run(self, context: Any) -> Mapping[str, Any]:
        raise InvalidInput("Never run.")


@pytest.fixture
def two_types(settings: Any) -> None:
    settings.IMAGE_TASKS = {
        "HANDLERS": {
            "import": "django_image_tasks.handlers.image_import.ImageImport",
            "resize/now": f"{__name__}.Resize",
            "retired": None,
        }
    }


def test_a_whole_task(api: Any, make_task: Any) -> None:
    described = describe()["components"]["schemas"]["ImageTask"]

    whole = api.get(f"/v2/tasks/{make_task(**EVERYTHING).pk}").json()
    least = api.get(f"/v2/tasks/{make_task().pk}").json()

    assert set(whole) == set(described["properties"])
    assert set(least) == set(described["required"])


def test_a_list(api: Any, make_task: Any) -> None:
    components = describe()["components"]["schemas"]
    page, summary = components["ImageTaskSummaryList"], components["ImageTaskSummary"]
    make_task(**EVERYTHING)
    make_task()

    first = api.get("/v2/tasks?limit=1").json()
    last = api.get("/v2/tasks?sort_dir=asc&marker=" + first["tasks"][0]["id"]).json()
    [whole] = api.get("/v2/tasks?status=success").json()["tasks"]

    assert set(first) == set(page["properties"])
    assert set(last) == set(page["required"])
    assert set(whole) == set(summary["properties"])
    assert set(first["tasks"][0]) == set(summary["required"])


@pytest.mark.parametrize(
    ("body", "is_valid"),
    [
        ({"type": "import", "input": SOURCE}, True),
        ({"type": "import", "input": SOURCE, "name": "a", "status": 7, "id": None}, True),
        ({"type": "import", "input": {}}, False),
        ({"type": "import", "input": SOURCE, "colour": "red"}, False),
        ({"type": "import", "input": SOURCE, "name": None}, False),
        ({"type": "import"}, False),
        ({"type": "retired", "input": {}}, False),
        ({"type": "resize/now", "input": {"sides": [1]}}, True),
        ({"type": "resize/now", "input": {"sides": [0]}}, False),
        ({"type": "resize/now", "input": SOURCE}, False),
        ([], False),
    ],
)
def test_the_api_takes_the_bodies_that_are_described(
    api: Any, two_types: None, body: Any, is_valid: bool
) -> None:
    described = validator(describe(), "NewImageTask")

    response = api.post("/v2/tasks", body, format="json")

    assert described.is_valid(body) is is_valid
    assert response.status_code == (201 if is_valid else 400)


def test_a_variant_and_an_example_for_each_type(two_types: None) -> None:
    document = describe()
    content = document["paths"]["/v2/tasks"]["post"]["requestBody"]["content"]["application/json"]

    mapping = document["components"]["schemas"]["NewImageTask"]["discriminator"]["mapping"]
    assert mapping == {
        "import": "#/components/schemas/NewImageTaskImport",
        "resize/now": "#/components/schemas/NewImageTaskResize2fNow",
    }
    for example in content["examples"].values():
        validator(document, "NewImageTask").validate(example["value"])
    assert [example["summary"] for example in content["examples"].values()] == [
        "Import an image",
        "Resize an image",
    ]


def test_no_type_that_runs(settings: Any) -> None:
    settings.IMAGE_TASKS = {"HANDLERS": {"retired": None}}

    assert not validator(describe(), "NewImageTask").is_valid({"type": "retired", "input": {}})
