"""Spans of OpenTelemetry, in this process, by its SDK."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from django_image_tasks import bulk, executor, tickets
from django_image_tasks.models import Task
from django_image_tasks.services import create_task, retry_task
from tests.engine.workload import Callback
from tests.requirements import needs

trace = needs("opentelemetry.trace")
sdk = needs("opentelemetry.sdk.trace")
export = needs("opentelemetry.sdk.trace.export")
memory = needs("opentelemetry.sdk.trace.export.in_memory_span_exporter")

pytestmark = pytest.mark.django_db(transaction=True)

EXPORTER = memory.InMemorySpanExporter()
PROVIDER = sdk.TracerProvider()
PROVIDER.add_span_processor(export.SimpleSpanProcessor(EXPORTER))
trace.set_tracer_provider(PROVIDER)  # which a process may do once
TRACER = trace.get_tracer("the project")


@pytest.fixture(autouse=True)
def traced(image_tasks: dict[str, Any]) -> Iterator[None]:
    image_tasks |= {"TRACING": True, "ENGINE": "tests.engine.workload"}
    EXPORTER.clear()
    yield
    Callback.during = None


def create(do: str = "nothing", type: str = "workload") -> Task:
    return create_task(type, {"do": do}, owner="1")


def spans(name: str) -> list[Any]:
    return [span for span in EXPORTER.get_finished_spans() if span.name == name]


def test_one_trace_leads_from_the_request_over_the_queue_to_the_worker() -> None:
    seen = []
    Callback.during = lambda context: seen.append(trace.get_current_span().get_span_context())
    with TRACER.start_as_current_span("POST /v2/tasks") as request:
        task = create(type="callback")
    executor.run_next()

    [created], [sent], [processed] = map(
        spans, ("create default", "send default", "process default")
    )
    assert created.parent == sent.parent == request.get_span_context()
    assert processed.parent.span_id == created.context.span_id
    assert {each.context.trace_id for each in (created, sent, processed)} == {
        request.get_span_context().trace_id
    }
    assert seen == [processed.context]
    kinds = [each.kind.name for each in (created, sent, processed)]
    assert kinds == ["PRODUCER", "CLIENT", "CONSUMER"]
    assert dict(processed.attributes) == {
        "messaging.system": "workload",
        "messaging.destination.name": "default",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.message.id": str(task.pk),
        "image_tasks.type": "callback",
        "image_tasks.attempt": 1,
        "image_tasks.status": "success",
    }
    assert processed.status.is_unset


def test_the_context_is_in_the_row() -> None:
    task = create()
    [span] = spans("create default")
    traceparent = Task.objects.get(pk=task.pk).traceparent
    assert len(traceparent) == 55
    ids = f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-"
    assert traceparent == f"{ids}{span.context.trace_flags:02x}"


def test_each_attempt_is_a_span_of_the_same_trace() -> None:
    task = create("fail_once")
    executor.run_next()
    Task.objects.update(available_at=None, lease_expires_at=None, turn=1)
    executor.run_next()

    first, second = spans("process default")
    assert first.parent == second.parent
    assert [each.attributes["image_tasks.attempt"] for each in (first, second)] == [1, 2]
    assert first.attributes["error.type"] == "retry"
    assert first.status.description == "Source answered 503 Service Unavailable"
    assert second.status.is_unset
    assert Task.objects.get(pk=task.pk).status == "success"
    assert not spans("send default")  # this engine keeps no message for later


@pytest.mark.parametrize("retry", [retry_task, lambda task: next(bulk.retry_tasks([task.pk]))])
def test_a_retry_is_a_trace_of_its_own_that_links_to_what_failed(
    retry: Callable[[Task], Any],
) -> None:
    task = create("fail")
    executor.run_next()
    task.refresh_from_db()

    with TRACER.start_as_current_span("POST retry") as request:
        retry(task)

    failed, again = spans("create default")
    assert again.parent == request.get_span_context()
    [link] = again.links
    assert (link.context.trace_id, link.context.span_id) == (
        failed.context.trace_id,
        failed.context.span_id,
    )
    assert Task.objects.get(retry_of=task.pk).traceparent != task.traceparent


def test_a_failed_task_is_an_error_with_its_message() -> None:
    create("fail")
    executor.run_next()
    [span] = spans("process default")
    assert span.attributes["error.type"] == span.attributes["image_tasks.status"] == "failure"
    assert span.status.description == "Source answered 404 Not Found"


def test_no_span_tells_the_text_of_an_error() -> None:
    create("crash")
    executor.run_next()
    [span] = spans("process default")
    assert span.attributes["error.type"] == "failure"
    assert "secret" not in span.to_json()


def test_a_handler_that_ends_its_process_ends_the_span() -> None:
    def leave(context: Any) -> None:
        raise SystemExit

    Callback.during = leave
    create(type="callback")
    with pytest.raises(SystemExit):
        executor.run_next()
    [span] = spans("process default")
    assert span.attributes["error.type"] == "failure"
    assert span.status.description.startswith("The handler ended its process")


def test_an_error_of_the_database_ends_the_span_with_its_type_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*args: Any) -> None:
        raise OperationalError("at 10.0.0.7")

    create()
    monkeypatch.setattr(executor, "_insist", fails)
    with pytest.raises(OperationalError):
        executor.run_next()
    [span] = spans("process default")
    assert span.attributes["error.type"] == "OperationalError"
    assert "10.0.0.7" not in span.to_json()


def test_a_broker_that_is_away_is_an_error_of_the_span_that_sends(
    image_tasks: dict[str, Any],
) -> None:
    image_tasks["ENGINE"] = "tests.engine.test_tracing"
    with TRACER.start_as_current_span("POST"):
        create()
    [span] = spans("send default")
    assert (span.attributes["error.type"], span.status.is_ok) == ("ConnectionRefusedError", False)
    assert not span.events


def enqueue(task_id: str) -> None:
    """As an engine: its broker is away."""
    raise ConnectionRefusedError("amqp://ada:secret@host")


def test_no_trace_begins_with_the_ticket_of_a_sweep() -> None:
    tickets.publish(tickets.NEXT)
    assert EXPORTER.get_finished_spans() == ()


def test_a_span_of_the_queues_library_is_linked() -> None:
    create()
    with TRACER.start_as_current_span("run/image_tasks.run") as ticket:
        executor.run_next()
    [span] = spans("process default")
    assert [link.context for link in span.links] == [ticket.get_span_context()]


def test_a_task_from_before_there_were_traces_begins_one(image_tasks: dict[str, Any]) -> None:
    image_tasks["TRACING"] = False
    task = create()
    assert task.traceparent is None
    image_tasks["TRACING"] = True
    executor.run_next()
    [span] = spans("process default")
    assert (span.parent, span.links) == (None, ())


def test_who_is_not_sampled_stays_so() -> None:
    unsampled = trace.NonRecordingSpan(trace.SpanContext(7, 7, is_remote=True))
    with trace.use_span(unsampled):
        task = create()
    assert task.traceparent == f"00-{7:032x}-{task.traceparent[36:52]}-00"  # type: ignore[index]
    executor.run_next()
    assert EXPORTER.get_finished_spans() == ()


def test_the_spans_cost_no_query(image_tasks: dict[str, Any]) -> None:
    create()  # what is asked once in a process
    counts = []
    for tracing in (False, True):
        image_tasks["TRACING"] = tracing
        with CaptureQueriesContext(connection) as queries:
            create()
            executor.run_next()
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_nothing_is_imported_where_nobody_traces() -> None:
    code = """
import sys, django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework",
        "django_image_tasks"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    USE_TZ=True, IMAGE_TASKS={"ENGINE": "django_image_tasks.engines.immediate",
        "HANDLERS": {"workload": "tests.engine.workload.Workload"}},
)
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django_image_tasks.services import create_task
task = create_task("workload", {}, owner="1")
task.refresh_from_db()
print(task.status, task.traceparent, "opentelemetry" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert (done.stdout, done.stderr) == ("success None False\n", "")
