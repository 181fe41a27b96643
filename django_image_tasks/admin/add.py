"""The page that adds a task: a type to choose, and a form made from its schema, or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_image_tasks import tenancy
from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.handlers import registry
from django_image_tasks.identifiers import request_id_of
from django_image_tasks.json_values import check_json
from django_image_tasks.models import Task
from django_image_tasks.schema_forms import InputForm, example_input, form_for, input_form
from django_image_tasks.services import create_task

if TYPE_CHECKING:
    from django_image_tasks.admin.task_admin import TaskAdmin

OTHERWISE = "_otherwise"
"""The button that leads from the fields to JSON, and back."""
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

    error = ""

    def __init__(
        self, type_: str, is_raw: bool, data: Any = None, labels: Any = None, inputs: Any = None
    ) -> None:
        self.type, self.is_raw = type_, is_raw
        self.title = registry.get_handler(type_).title
        self.labels = LabelForm(data, initial=labels)
        self.inputs = form_of(type_, is_raw)(data, prefix=PREFIX, initial=inputs)

    @property
    def has_fields(self) -> bool:
        """Whether there is more to show than one box for JSON."""
        return () not in input_form(self.type).paths.values()

    def is_valid(self) -> bool:
        """Whether both forms are filled in; the task's own rules are ``create_task``'s to check."""
        return all([self.labels.is_valid(), self.inputs.is_valid()])

    def otherwise(self) -> NewTask:
        """The fields as JSON, or JSON in fields.

        Raises :exc:`~django_image_tasks.exceptions.InvalidInput` if something would be lost.
        """
        errors = self.inputs.errors.as_data().values()
        if any(error.code != "required" for field_errors in errors for error in field_errors):
            raise InvalidInput(gettext("Correct this first, for nothing to be lost."))
        document = self.inputs.task_input
        check_json(document)
        if not (self.is_raw or document):
            document = example_of(self.type)
        inputs = form_of(self.type, not self.is_raw).initial_from(document)
        if inputs is None:
            raise InvalidInput(gettext("There is more in this than the form has fields for."))
        labels = {field.name: field.value() for field in self.labels}
        return NewTask(self.type, is_raw=not self.is_raw, labels=labels, inputs=inputs)


def form_of(type_: str, is_raw: bool) -> type[InputForm]:
    """The form for the input of tasks of a type: its fields, or one box for JSON."""
    return RawForm if is_raw else input_form(type_)


def example_of(type_: str) -> Any:
    """What a box for JSON begins with: an empty object would be refused by most types."""
    return example_input(registry.get_handler(type_).input_schema)


def answer(admin: TaskAdmin, request: HttpRequest, extra_context: dict[str, Any]) -> HttpResponse:
    """Show the page, or do what its form asks for."""
    types = registry.runnable_types()
    type_ = request.GET.get("type", types[0] if len(types) == 1 else "")
    context = {
        "title": gettext("Add a task"),
        "add": True,
        "back": admin.address("changelist"),
        "has_other_types": len(types) > 1,
        **extra_context,
    }
    if type_ not in types:
        titles = [(type_, registry.get_handler(type_).title) for type_ in types]
        return admin.render_page(request, "add_form", context | {"titles": titles})
    is_raw = (request.POST or request.GET).get("raw") == "1"
    if request.method == "POST":
        new = NewTask(type_, is_raw=is_raw, data=request.POST)
        try:
            if OTHERWISE in request.POST:
                new = new.otherwise()
            elif new.is_valid():
                task = _create(admin, request, new)
                return HttpResponseRedirect(admin.address("change", task.pk))
        except InvalidInput as error:
            new.error = str(error)
    else:
        owner = tenancy.get_owner(request)
        inputs = {"input": example_of(type_)}
        new = NewTask(type_, is_raw=is_raw, labels={"owner": owner}, inputs=inputs)
    return admin.render_page(request, "add_form", context | {"new": new})


def _create(admin: TaskAdmin, request: HttpRequest, new: NewTask) -> Task:
    labels = new.labels.cleaned_data
    with transaction.atomic():
        task = create_task(
            new.type,
            new.inputs.task_input,
            name=labels["name"] or None,
            owner=labels["owner"],
            user_id=tenancy.user_id(request),
            request_id=request_id_of(request),
        )
        admin.log_addition(request, task, [{"added": {}}])
    admin.message_user(request, gettext("The task was created."), messages.SUCCESS)
    return task
