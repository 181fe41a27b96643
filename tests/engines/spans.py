"""Spans of every process of a project, in one file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor


def write_spans(path: Path) -> None:
    """Have this process, and those that it forks, write each span as a line."""
    exporter = ConsoleSpanExporter(
        out=path.open("a"), formatter=lambda span: span.to_json(indent=None) + "\n"
    )
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)


def read_spans(path: Path, trace_id: str) -> dict[str, Any]:
    """The spans of a trace by the first word of their names."""
    spans = [json.loads(line) for line in path.read_text().splitlines()]
    of_trace = [span for span in spans if span["context"]["trace_id"] == trace_id]
    return {span["name"].split()[0]: span for span in of_trace}
