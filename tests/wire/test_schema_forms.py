from __future__ import annotations

from typing import Any

import pytest

from django_image_tasks.exceptions import UnknownTaskType
from django_image_tasks.schema_forms import InputForm, form_for, input_form


def properties(**schemas: Any) -> type[InputForm]:
    return form_for({"type": "object", "properties": schemas})


def given(form: type[InputForm], data: dict[str, str]) -> Any:
    bound = form(data)
    assert bound.is_valid(), bound.errors
    return bound.task_input


def test_an_import_is_asked_for_by_its_properties() -> None:
    form = input_form("import")()
    assert list(form.fields) == [
        "import_from",
        "import_from_format",
        "image_properties.name",
        "image_properties.disk_format",
        "image_properties.container_format",
        "image_id",
        "checksum.algorithm",
        "checksum.value",
    ]
    assert form["import_from"].field.widget.input_type == "url"
    assert form["import_from"].label == "Import from"
    assert form["import_from"].help_text == "The http or https URI of the image."


def test_what_was_filled_in_is_the_input_and_no_more() -> None:
    assert given(
        input_form("import"),
        {
            "import_from": "https://example.org/image",
            "import_from_format": "",
            "image_properties.name": "Debian",
            "checksum.algorithm": "",
        },
    ) == {"import_from": "https://example.org/image", "image_properties": {"name": "Debian"}}


def test_the_fields_of_an_object_are_a_section() -> None:
    top, image, checksum = input_form("import")().sections()
    assert (top.title, top.description) == ("", "")
    assert [field.name for field in top.fields] == ["import_from", "import_from_format", "image_id"]
    assert image.title == "Image properties"
    assert image.description == "What the image shall be known by: name, disk_format, …"
    assert [field.label for field in checksum.fields] == ["Algorithm", "Value"]


def test_a_type_that_no_longer_runs_has_no_form(settings: Any) -> None:
    settings.IMAGE_TASKS = {"HANDLERS": {"import": None}}
    with pytest.raises(UnknownTaskType):
        input_form("import")


@pytest.mark.parametrize(
    ("schema", "typed", "value", "kind"),
    [
        ({"type": "string"}, "7", "7", "string"),
        ({"type": ["string", "null"]}, "x", "x", "string"),
        ({"type": "integer"}, "-7", -7, "integer"),
        ({"type": "integer"}, "0", 0, "integer"),
        ({"type": "number"}, "0.5", 0.5, "number"),
        ({"type": "boolean"}, "false", False, "boolean"),
        ({"type": "boolean"}, "true", True, "boolean"),
        ({"enum": ["a", "b"]}, "b", "b", "string"),
        ({"enum": [1, None, "a"]}, "1", 1, "json"),
        ({"enum": [1, None, "a"]}, "null", None, "json"),
        ({"enum": [1, None, "a"]}, '"a"', "a", "json"),
        ({"const": "a"}, "a", "a", "string"),
        ({"type": "array"}, "[]", [], "json"),
        ({"type": "object"}, '{"a": [1]}', {"a": [1]}, "json"),
        ({"type": ["string", "integer"]}, '"a"', "a", "json"),
        ({"type": "string", "anyOf": [{}]}, '"a"', "a", "json"),
        ({"type": "object", "properties": {"a.b": {}}}, "{}", {}, "json"),
        ({}, "null", None, "json"),
        ({}, '""', "", "json"),
        (True, "1", 1, "json"),
    ],
)
def test_each_kind_of_property_is_read_as_its_type(
    schema: Any, typed: str, value: Any, kind: str
) -> None:
    form = properties(x=schema)
    assert given(form, {"x": typed}) == {"x": value}
    assert given(form, {"x": ""}) == {}
    attrs = form.base_fields["x"].widget.attrs
    assert (attrs["data-path"], attrs["data-type"]) == ("x", kind)


@pytest.mark.parametrize(
    ("schema", "typed"),
    [
        ({"type": "integer"}, "x"),
        ({"type": "integer"}, "1" * 5000),
        ({"type": "number"}, "1e999"),
        ({"enum": ["a"]}, "b"),
        ({"type": "string"}, "\0"),
        ({}, "{"),
        ({}, "[" * 100_000),
        ({}, "1" * 5000),
    ],
)
def test_what_is_not_of_the_type_is_an_error_of_its_field(schema: Any, typed: str) -> None:
    assert list(properties(x=schema)({"x": typed}).errors) == ["x"]


def test_bad_json_is_pointed_at() -> None:
    errors = properties(x={})({"x": '{\n"a" 1}'}).errors
    assert errors["x"] == ["This is not JSON: line 2, column 5."]


def test_a_property_is_required_where_all_around_it_is() -> None:
    part = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}
    form = form_for({"required": ["must"], "properties": {"must": part, "may": part}})
    assert form({}).errors == {"must.a": ["This field is required."]}


def test_limits_are_told_to_the_browser() -> None:
    form = properties(
        text={"type": "string", "minLength": 2, "maxLength": 5, "pattern": "a|b"},
        number={"type": "integer", "minimum": 1, "maximum": 9},
    )
    html = form().as_p()
    for attribute in (
        'minlength="2"',
        'maxlength="5"',
        'pattern=".*(?:a|b).*"',
        'min="1"',
        'max="9"',
    ):
        assert attribute in html


def test_titles_defaults_and_examples_are_shown() -> None:
    schema = {"type": "integer", "title": "How many", "default": 3, "examples": [5]}
    field = properties(x=schema)()["x"]
    assert (field.label, field.value()) == ("How many", 3)
    assert 'placeholder="5"' in str(field)


@pytest.mark.parametrize("schema", [{"type": "object"}, {"properties": {"a": {}}, "oneOf": [{}]}])
def test_an_input_that_cannot_be_drawn_is_one_box_for_json(schema: Any) -> None:
    form = form_for(schema)
    assert given(form, {"input": '{"a": 1}'}) == {"a": 1}
    assert form.base_fields["input"].widget.attrs["data-path"] == ""


def test_a_property_may_have_the_name_of_a_forms_method() -> None:
    form = properties(clean={"type": "string"}, media={"type": "string"}, paths={"type": "string"})
    document = {"clean": "a", "media": "b", "paths": "c"}
    assert given(form, document) == document


DOCUMENT = {
    "text": "a",
    "flag": False,
    "choice": None,
    "list": [1, "ä"],
    "inner": {"number": 0.5},
}
FORM = properties(
    text={"type": "string"},
    flag={"type": "boolean"},
    choice={"enum": [1, None]},
    list={"type": "array"},
    inner={"type": "object", "properties": {"number": {"type": "number"}}},
)


def test_a_document_comes_back_from_the_form_that_shows_it() -> None:
    initial = FORM.initial_from(DOCUMENT)
    shown = FORM(initial=initial)
    typed = {name: str(shown[name].value()) for name in shown.fields}
    assert given(FORM, typed) == DOCUMENT


@pytest.mark.parametrize(
    "document",
    [{"more": 1}, {"inner": {"more": 1}}, {"inner": 1}, {"text": 1}, {"text": None}, [], "x"],
)
def test_a_document_that_the_form_would_change_is_not_shown(document: Any) -> None:
    assert FORM.initial_from(document) is None
