"""What a document holds once and refers to often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent


def component(auto_schema: AutoSchema, kind: str, name: str, value: Mapping[str, Any]) -> Any:
    """Register a component of ours; returns the reference to it."""
    resolved = ResolvedComponent(name=name, type=kind, schema=value, object=name)
    auto_schema.registry.register_on_missing(resolved)
    return resolved.ref
