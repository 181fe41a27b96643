"""The front door: the API, the admin, the terminal and a host's Python make and end tasks here.

Everything here happens in the caller's transaction. A new task is put on the queue when that
transaction commits, and not at all if it is rolled back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Exists, F, OuterRef, Q

from django_image_tasks import limits, tickets, tracing
from django_image_tasks.conf import conf
from django_image_tasks.exceptions import InputTooLarge, InvalidInput, InvalidTransition
from django_image_tasks.handlers import registry
from django_image_tasks.idempotency import Repeatable
from django_image_tasks.identifiers import parse_uuid
from django_image_tasks.json_values import (
    check_json,
    check_schema,
    json_size,
    kept_message,
    mismatch,
)
from django_image_tasks.keyset import RareExact
from django_image_tasks.models import Task
from django_image_tasks.states import Status

__all__ = ["can_retry", "cancel_task", "create_task", "retry_task"]

LONGEST = {"owner": 255, "user_id": 255, "request_id": 68}
"""Characters that the columns hold of who asked, and for whom."""


def create_task(
    type: str,
    input: Mapping[str, Any],
    *,
    owner: str,
    name: str | None = None,
    user_id: str = "",
    request_id: str = "",
    idempotency_key: str | None = None,
) -> Task:
    """Create a pending task, which a worker of the queue will run.

    ``input`` is a JSON object that the handler of ``type`` accepts. ``owner`` is whom the API shows
    the task to. ``name`` is a label for people, at most 255 characters; where it is left out, the
    task is called like its image (``input["image_properties"]["name"]``). ``user_id`` and
    ``request_id`` say who asked, and in which request. With an ``idempotency_key``, 1 to 255
    printable ASCII characters, the call may be repeated: as long as the first task has not expired,
    it is returned instead of another one.

    Raises :exc:`~django_image_tasks.exceptions.InvalidInput`, with one line that a client can act
    on, if no handler runs such tasks, if the handler does not accept the input, or if
    ``IMAGE_TASKS["TASK_VALIDATOR"]`` refuses the task; of it
    :exc:`~django_image_tasks.exceptions.TooManyWaiting` if the owner has as many waiting tasks as
    ``OWNER_LIMITS`` allows. Raises :exc:`~django_image_tasks.exceptions.KeyReused` if the first
    task of the key was another one.
    """
    body = {"type": type, "input": input} | ({} if name is None else {"name": name})
    repeatable = None
    if idempotency_key is not None:
        check_storable(body)
        repeatable = Repeatable.of(owner, idempotency_key, body)
        if first := repeatable.find():
            return first
    check_body(body)
    task = Task(
        type=type,
        input=input,
        name=_name_of_image(input) if name is None else name,
        image_id=_image_id(input),
        owner=owner,
        user_id=user_id,
        request_id=request_id,
    )
    return _save(task, repeatable)


def cancel_task(task: Task, by: str) -> Task:
    """Cancel a task in the name of ``by``. A pending one ends at once, a running one is asked to.

    It may be repeated. Of ``by`` 255 characters are kept. Raises
    :exc:`~django_image_tasks.exceptions.InvalidTransition` if the task has finished.
    """
    task.cancel(kept_message(by)[:255])
    return task


def retry_task(task: Task, *, user_id: str = "", request_id: str = "") -> Task:
    """Create a new pending task that does the same as this one, which has failed and stays so.

    The new task has the type, name, input and owner of the failed one, whose id is its
    ``retry_of``. Raises :exc:`~django_image_tasks.exceptions.InvalidTransition` if the task has not
    failed or no handler runs its type any more, and
    :exc:`~django_image_tasks.exceptions.InvalidInput` if ``IMAGE_TASKS["TASK_VALIDATOR"]`` or the
    owner's limit refuses the new one.
    """
    if task.status != Status.FAILURE:
        raise InvalidTransition(f"Task {task.pk} has not failed.")
    if not can_retry(task.status, task.type):
        raise InvalidTransition(f"Tasks of type '{task.type}' no longer run.")
    return _save(new_retry(task, user_id=user_id, request_id=request_id), retried=task)


def new_retry(task: Task, *, user_id: str, request_id: str) -> Task:
    """A task that does the same as this one; it is not saved."""
    return Task(
        type=task.type,
        input=task.input,
        name=task.name,
        image_id=task.image_id,
        owner=task.owner,
        user_id=user_id,
        request_id=request_id,
        retry_of=task.pk,
    )


def can_retry(status: str, type: str) -> bool:
    """Whether :func:`retry_task` takes a task of this status and type."""
    return status == Status.FAILURE and type in registry.runnable_types()


def retryable() -> Q:
    """The condition for the tasks that :func:`can_retry` is true of."""
    return Q(status=Status.FAILURE, type__in=registry.runnable_types())


def has_retry() -> Q:
    """The condition for the tasks of which a retry waits, runs or has succeeded."""
    # Where there was no retry at its last ANALYZE, SQLite would read the whole table for each task.
    retries = Task.objects.filter(RareExact(F("retry_of"), OuterRef("pk")))
    return Q(Exists(retries.exclude(status=Status.FAILURE)))


def _save(task: Task, repeatable: Repeatable | None = None, *, retried: Task | None = None) -> Task:
    check_new(task)
    limits.check_waiting(task.owner)
    task.turn, task.lease_expires_at = Task.objects.for_deciding().next_turn(task.owner), None
    tracing.note_creation(task, retried)
    if repeatable and (first := repeatable.insert(task)) is not task:
        return first
    if not repeatable:
        task.save(force_insert=True)
    tickets.submit(task)
    return task


def check_new(task: Task) -> None:
    """Raise InvalidInput for a task that is refused whatever its input and the owner's limits."""
    _check_labels(task)
    if validator := conf.TASK_VALIDATOR:
        validator(task)


def check_body(body: Mapping[str, Any]) -> None:
    """Check the type, input and name of a new task.

    Raises :exc:`~django_image_tasks.exceptions.InvalidInput` if no handler accepts them, and
    :exc:`~django_image_tasks.exceptions.InputTooLarge` for an input over ``MAX_INPUT_SIZE``.
    """
    check_storable(body)
    if (size := json_size(body["input"])) > conf.MAX_INPUT_SIZE:
        raise InputTooLarge(f"The input takes {size} bytes; the limit is {conf.MAX_INPUT_SIZE}.")
    check_schema(body, new_task_schema())
    handler = registry.get_handler(body["type"])
    check_schema(body["input"], handler.input_schema, where="input")
    handler.validate(body["input"])


def check_storable(body: Mapping[str, Any]) -> None:
    """Raise InvalidInput for a body that one of the databases cannot keep as JSON."""
    try:
        check_json(body)
    except InvalidInput as error:
        raise mismatch(f"body: {error}") from None


def new_task_schema() -> Mapping[str, Any]:
    """The JSON Schema of a new task of any type, as a client may send it."""
    return {
        "type": "object",
        "properties": {
            "type": {"type": "string", "enum": registry.runnable_types()},
            "input": {"type": "object"},
            "name": {"type": "string", "maxLength": 255},
        },
        "additionalProperties": False,
    }


def _check_labels(task: Task) -> None:
    """Raise InvalidInput for an owner, user or request that a database would refuse or cut off."""
    for name, longest in LONGEST.items():
        value = getattr(task, name)
        if not isinstance(value, str) or len(value) > longest:
            raise InvalidInput(f"{name}: it must be a string of at most {longest} characters.")
        try:
            check_json(value)
        except InvalidInput as error:
            raise InvalidInput(f"{name}: {error}") from None
    if not task.owner:
        raise InvalidInput("owner: a task cannot be without one.")


def _name_of_image(input: Mapping[str, Any]) -> str:
    properties = input.get("image_properties")
    name = properties.get("name") if isinstance(properties, dict) else None
    return name[:255] if isinstance(name, str) else ""


def _image_id(input: Mapping[str, Any]) -> str:
    image_id = input.get("image_id")
    return str(parse_uuid(image_id) or "") if isinstance(image_id, str) else ""
