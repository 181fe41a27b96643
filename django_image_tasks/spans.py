"""Spans by OpenTelemetry's conventions for messaging, in which a task is a message.

The context travels with the task's row: a ticket on the queue does not say which task it is for,
and the sweep puts another in the place of one that was lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from django_image_tasks.conf import conf
from django_image_tasks.states import Status

if TYPE_CHECKING:
    from django_image_tasks.models import Task

PROPAGATOR = TraceContextTextMapPropagator()


def create(task: Task, retried: Task | None) -> None:
    """Make the span that every attempt at the task is a child of; a retry links to what failed."""
    links = _links(_context_of(retried.traceparent)) if retried else []
    span = _tracer().start_span(
        _name("create"), None, SpanKind.PRODUCER, _attributes("create", task), links
    )
    span.end()
    carrier: dict[str, str] = {}
    PROPAGATOR.inject(carrier, trace.set_span_in_context(span))
    task.traceparent = carrier.get("traceparent")


@contextmanager
def sending(task_id: object) -> Iterator[None]:
    """Not for the tickets of a sweep: no trace begins with one."""
    if not trace.get_current_span().get_span_context().is_valid:
        yield
        return
    attributes = {**_destination("send"), "messaging.message.id": str(task_id)}
    with _span("send", SpanKind.CLIENT, attributes):
        yield


@contextmanager
def processing(task: Task) -> Iterator[None]:
    """The span that is current while the handler runs, and tells how the attempt ended."""
    context, failed_attempts = _context_of(task.traceparent), task.failed_attempts
    attributes = {**_attributes("process", task), "image_tasks.attempt": task.attempts}
    # Where the queue's library makes a span of its own, for the ticket, the two are linked.
    links = _links(None) if context is not None else []
    with _span("process", SpanKind.CONSUMER, attributes, context, links) as span:
        try:
            yield
        finally:
            span.set_attribute("image_tasks.status", task.status)
            if task.status == Status.FAILURE:
                _end_in_error(span, "failure", task.message)
            elif task.failed_attempts > failed_attempts:
                _end_in_error(span, "retry", task.message)


@contextmanager
def _span(
    operation: str,
    kind: SpanKind,
    attributes: Mapping[str, Any],
    context: Any = None,
    links: Sequence[Link] = (),
) -> Iterator[Span]:
    # The text of an error may hold a URL with a password, so that only its type is told.
    with _tracer().start_as_current_span(
        _name(operation),
        context,
        kind,
        attributes,
        links,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except Exception as error:
            _end_in_error(span, type(error).__qualname__)
            raise


def _end_in_error(span: Span, kind: str, message: str | None = None) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR, message)


def _tracer() -> trace.Tracer:
    return trace.get_tracer("django_image_tasks")


def _context_of(traceparent: str | None) -> Any:
    return PROPAGATOR.extract({"traceparent": traceparent}) if traceparent else None


def _links(context: Any) -> list[Link]:
    """A link to the span of a context, by default of the current one, if it has a span."""
    span = trace.get_current_span(context).get_span_context()
    return [Link(span)] if span.is_valid else []


def _queue() -> str:
    return conf.QUEUE or "default"


def _name(operation: str) -> str:
    return f"{operation} {_queue()}"


def _destination(operation: str) -> dict[str, Any]:
    return {
        "messaging.system": conf.ENGINE.rpartition(".")[2],
        "messaging.destination.name": _queue(),
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
    }


def _attributes(operation: str, task: Task) -> dict[str, Any]:
    named = {"messaging.message.id": str(task.pk), "image_tasks.type": task.type}
    return {**_destination(operation), **named}
