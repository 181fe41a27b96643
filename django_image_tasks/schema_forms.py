"""A Django form for a task's ``input``, made from the JSON Schema of its type's handler.

It draws objects with ``properties``, texts, numbers, booleans and enumerations; whatever else a
schema may say becomes a box for JSON. Its own checks are light: the truth is the API's validation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_image_tasks.handlers import registry

Schema = Mapping[str, Any]
Path = tuple[str, ...]

MISSING: Any = object()
"""What a field holds that was left empty. ``None`` is JSON's ``null``, which may be meant."""

UNDRAWABLE = frozenset(
    {"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "not", "if", "patternProperties"}
)


class JSONValueField(forms.CharField):
    """JSON of any kind, in a text area. Its depth and texts are for the API to check."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        # What was typed stays as it is; only an initial value comes as another thing than text.
        return value if value is None or isinstance(value, str) else _pretty(value)

    def clean(self, value: Any) -> Any:
        """What the text stands for. Raises ValidationError for what is no JSON."""
        text = super().clean(value)
        if not text:
            return MISSING
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise ValidationError(
                _("This is not JSON: line %(line)s, column %(column)s."),
                params={"line": error.lineno, "column": error.colno},
            ) from None
        except (RecursionError, ValueError):
            raise ValidationError(
                _("This JSON is nested too deeply, or a number too long.")
            ) from None


class Section(NamedTuple):
    """The fields of one object, for a ``<fieldset>``; the outermost one has no title."""

    title: str | Promise
    description: str | Promise
    fields: list[forms.BoundField]


class InputForm(forms.Form):
    """Fields named by their dotted path (``image_properties.name``); :func:`input_form` makes it.

    Each widget carries ``data-path``, the dotted path (empty: it holds the whole input), and
    ``data-type``: ``string``, ``integer``, ``number``, ``boolean`` or ``json``.
    """

    schema: ClassVar[Schema] = {}
    paths: ClassVar[Mapping[str, Path]] = {}

    @property
    def task_input(self) -> dict[str, Any]:
        """The input as the API takes it, without what was left empty. For after ``is_valid()``."""
        document: Any = {}
        for name, path in self.paths.items():
            value = self.cleaned_data.get(name, MISSING)
            if value is MISSING or (value in (None, "") and not _reads_json(self.fields[name])):
                continue
            document = _put(document, path, value)
        result: dict[str, Any] = document
        return result

    def sections(self) -> list[Section]:
        """The fields by the object they belong to."""
        grouped: dict[Path, list[forms.BoundField]] = {}
        for name, path in self.paths.items():
            grouped.setdefault(path[:-1], []).append(self[name])
        return [_section(self.schema, path, fields) for path, fields in grouped.items()]

    @classmethod
    def initial_from(cls, document: Any) -> dict[str, Any] | None:
        """What to give as ``initial`` to show ``document``; ``None`` if that would change it."""
        found = {name: _get(document, path) for name, path in cls.paths.items()}
        initial = {
            name: _shown(cls.base_fields[name], value)
            for name, value in found.items()
            if value is not MISSING
        }
        form = cls({name: str(value) for name, value in initial.items()})
        form.full_clean()
        return initial if form.task_input == document else None


def input_form(type_: str) -> type[InputForm]:
    """The form for new tasks of this type.

    Raises :exc:`~django_image_tasks.exceptions.UnknownTaskType` if no handler runs them.
    """
    return form_for(registry.get_handler(type_).input_schema)


def form_for(schema: Schema) -> type[InputForm]:
    """The form for inputs under this JSON Schema (draft 2020-12)."""
    fields: dict[str, forms.Field] = {}
    paths: dict[str, Path] = {}
    for path, part, required in _drawn(schema):
        name = ".".join(path) or "input"
        fields[name] = _field(path, part, required)
        paths[name] = path
    form: type[InputForm] = type("InputForm", (InputForm,), {"schema": schema, "paths": paths})
    # Not as attributes: a property may be called "clean".
    form.base_fields = fields
    return form


def example_input(schema: Schema) -> Any:
    """An input to begin with: the schema's first example, or what it requires, to fill in."""
    required = dict.fromkeys(schema.get("required", []), "…")
    return next(iter(schema.get("examples", [])), required)


def _drawn(schema: Schema, path: Path = (), required: bool = True) -> Iterator[Any]:
    """The parts of a schema that get a field: their paths, themselves, and whether required."""
    if not _is_sections(schema):
        yield path, schema, required
        return
    for name, part in schema["properties"].items():
        part = part if isinstance(part, Mapping) else {}
        yield from _drawn(part, (*path, name), required and name in schema.get("required", ()))


def _is_sections(schema: Schema) -> bool:
    properties = schema.get("properties")
    if not properties or UNDRAWABLE & schema.keys():
        return False
    return not any("." in name for name in properties)


def _field(path: Path, schema: Schema, required: bool) -> forms.Field:
    kind, field = _field_of_kind(schema)
    field.required = required
    field.label = _(schema.get("title") or _words(path[-1] if path else "input"))
    field.help_text = _(schema.get("description", ""))
    field.initial = _shown(field, schema["default"]) if "default" in schema else None
    field.widget.is_required = required
    field.widget.attrs |= {"data-path": ".".join(path), "data-type": kind}
    if examples := schema.get("examples"):
        field.widget.attrs["placeholder"] = _shown(field, examples[0])
    return field


def _field_of_kind(schema: Schema) -> tuple[str, forms.Field]:
    kinds = schema.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    match [*(kinds - {"null"})]:
        case _ if UNDRAWABLE & schema.keys():
            return "json", _json()
        case _ if "enum" in schema or "const" in schema:
            return _choice(schema.get("enum", [schema.get("const")]))
        case ["string"]:
            return "string", _text(schema)
        case ["integer"]:
            return "integer", forms.IntegerField(**_range(schema))
        case ["number"]:
            return "number", forms.FloatField(**_range(schema))
        case ["boolean"]:
            labels = {"true": _("Yes"), "false": _("No")}
            return "boolean", _select([*labels.items()], json.loads)
    return "json", _json()


def _json() -> forms.Field:
    attrs = {"rows": 6, "spellcheck": "false", "autocomplete": "off"}
    return JSONValueField(widget=forms.Textarea(attrs))


def _choice(values: list[Any]) -> tuple[str, forms.Field]:
    if all(isinstance(value, str) and value for value in values):
        return "string", _select([(value, value) for value in values], str)
    choices = [(json.dumps(value), json.dumps(value, ensure_ascii=False)) for value in values]
    return "json", _select(choices, json.loads)


def _select(choices: list[tuple[str, Any]], coerce: Any) -> forms.Field:
    return forms.TypedChoiceField(
        choices=[("", "---------"), *choices], coerce=coerce, empty_value=MISSING
    )


def _text(schema: Schema) -> forms.Field:
    widget = forms.URLInput() if schema.get("format") == "uri" else forms.TextInput()
    if "pattern" in schema:
        # The browser wants the whole value to match, a JSON Schema any part of it.
        widget.attrs["pattern"] = f".*(?:{schema['pattern']}).*"
    return forms.CharField(
        widget=widget, min_length=schema.get("minLength"), max_length=schema.get("maxLength")
    )


def _range(schema: Schema) -> dict[str, Any]:
    return {"min_value": schema.get("minimum"), "max_value": schema.get("maximum")}


def _reads_json(field: forms.Field) -> bool:
    return isinstance(field, JSONValueField | forms.TypedChoiceField)


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _shown(field: forms.Field, value: Any) -> Any:
    """The value in the form that the field's widget shows."""
    if isinstance(field, JSONValueField):
        return _pretty(value)
    if isinstance(field, forms.TypedChoiceField) and field.coerce is not str:
        return json.dumps(value)
    return value


def _section(schema: Schema, path: Path, fields: list[forms.BoundField]) -> Section:
    for name in path:
        schema = schema["properties"][name]
    if not path:
        return Section("", "", fields)
    title = gettext(schema.get("title") or _words(path[-1]))
    return Section(title, gettext(schema.get("description", "")), fields)


def _words(name: str) -> str:
    return str(capfirst(name.replace("_", " ").strip()))


def _put(document: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    inner = document
    for name in path[:-1]:
        inner = inner.setdefault(name, {})
    inner[path[-1]] = value
    return document


def _get(document: Any, path: Path) -> Any:
    for name in path:
        if not isinstance(document, dict) or name not in document:
            return MISSING
        document = document[name]
    return document
