"""The forms that a new task is filled in with."""

from __future__ import annotations

from typing import Any, Self

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.handlers import registry
from django_image_tasks.json_values import check_storable
from django_image_tasks.schema_forms import InputForm, form_for, input_form

PREFIX = "input"

RawForm = form_for({"title": _("Input"), "description": _("A JSON object, as the API takes it.")})


class LabelForm(forms.Form):
    """What is said of a task beside its input."""

    name = forms.CharField(
        label=_("Name"),
        max_length=255,
        required=False,
        help_text=_("A label for people. The image's own name, if left empty."),
    )
    owner = forms.CharField(
        label=_("Owner"), max_length=255, help_text=_("Whose task it is, for the API.")
    )


class NewTask:
    """A task of one type, as it is being filled in: field by field, or as JSON (``is_raw``)."""

    labels: LabelForm
    inputs: InputForm
    error = ""

    def __init__(self, type_: str, *, is_raw: bool) -> None:
        self.type, self.is_raw = type_, is_raw
        self.title = registry.get_handler(type_).title
        self.form_class = RawForm if is_raw else input_form(type_)

    def begin(self, owner: str | None) -> Self:
        self.labels = LabelForm(initial={"owner": owner})
        self.inputs = self.form_class(prefix=PREFIX, initial={"input": {}})
        return self

    def read(self, data: QueryDict) -> Self:
        self.labels = LabelForm(data)
        self.inputs = self.form_class(data, prefix=PREFIX)
        return self

    @property
    def has_fields(self) -> bool:
        """Whether there is more to show than one box for JSON."""
        return () not in input_form(self.type).paths.values()

    def is_valid(self) -> bool:
        return all([self.labels.is_valid(), self.inputs.is_valid()])

    def body(self) -> dict[str, Any]:
        """As a client of the API would send it."""
        name = self.labels.cleaned_data["name"]
        return {"type": self.type, "input": self.inputs.task_input} | (
            {"name": name} if name else {}
        )

    def otherwise(self) -> NewTask:
        """The fields as JSON, or JSON in fields. Raises InvalidInput if something would be lost."""
        errors = self.inputs.errors.as_data().values()
        if any(error.code != "required" for field_errors in errors for error in field_errors):
            raise InvalidInput(gettext("Correct this first, for nothing to be lost."))
        document = self.inputs.task_input
        check_storable(document)
        other = NewTask(self.type, is_raw=not self.is_raw)
        initial = other.form_class.initial_from(document)
        if initial is None:
            raise InvalidInput(gettext("There is more in this than the form has fields for."))
        other.labels = LabelForm(initial={field.name: field.value() for field in self.labels})
        other.inputs = other.form_class(prefix=PREFIX, initial=initial)
        return other
