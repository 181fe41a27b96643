"""One trace from the request to the worker, which is another process, on each engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engines import actions
from tests.engines.brokers import Engine
from tests.engines.project import Project
from tests.engines.waiting import finished, until
from tests.requirements import needs


@pytest.fixture
def traced(project: Project, engine: Engine) -> Iterator[Project]:
    """The project with a worker that traces, in the place of those that do not."""
    needs("opentelemetry.sdk")
    project.kill_all()
    project.environ["ENGINE_TESTS_TRACING"] = "yes"
    project.restart_caller()
    engine.start_worker(project)
    yield project
    project.kill_all()
    del project.environ["ENGINE_TESTS_TRACING"]
    project.restart_caller()


@pytest.mark.parametrize("is_ticket_lost", [False, True])
def test_the_worker_goes_on_in_the_trace_of_the_request(
    traced: Project, engine_name: str, is_ticket_lost: bool
) -> None:
    from tests.engines.spans import read_spans

    task_id, trace_id = traced.call(actions.submit_in_trace, {}, is_ticket_lost)
    assert finished(traced, task_id)["status"] == "success"

    path = traced.directory / "spans"
    until(lambda: "process" in read_spans(path, trace_id))
    spans = read_spans(path, trace_id)
    request, create, process = (spans[name] for name in ("request", "create", "process"))
    assert create["parent_id"] == request["context"]["span_id"]
    assert process["parent_id"] == create["context"]["span_id"]
    assert ("send" in spans) is not is_ticket_lost
    assert (create["kind"], process["kind"]) == ("SpanKind.PRODUCER", "SpanKind.CONSUMER")
    assert process["attributes"]["messaging.message.id"] == task_id
    assert process["attributes"]["messaging.system"] == engine_name.partition("_r")[0]
    assert process["attributes"]["image_tasks.status"] == "success"
