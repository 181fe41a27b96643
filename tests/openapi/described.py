from __future__ import annotations

from typing import Any

from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator, FormatChecker


def describe(urlconf: str = "django_image_tasks.urls") -> dict[str, Any]:
    """The description of these routes: valid, and made without a warning."""
    document = SchemaGenerator(urlconf=urlconf).get_schema(request=None, public=True)
    assert not GENERATOR_STATS, (GENERATOR_STATS._warn_cache, GENERATOR_STATS._error_cache)
    validate_schema(document)
    return document


def validator(document: dict[str, Any], name: str) -> Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    return Draft202012Validator(schema, format_checker=FormatChecker())


def query_of(document: dict[str, Any]) -> dict[str, Any]:
    """The list's query parameters by name."""
    parameters = document["paths"]["/v2/tasks"]["get"]["parameters"]
    return {item["name"]: item for item in parameters if item["in"] == "query"}
