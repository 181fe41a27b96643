"""What a document holds once, under a name, and refers to often."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent


def component(auto_schema: AutoSchema, kind: str, name: str, value: Mapping[str, Any]) -> Any:
    """Register a component of ours; returns the reference to it."""
    resolved = ResolvedComponent(name=name, type=kind, schema=value, object=name)
    auto_schema.registry.register_on_missing(resolved)
    return resolved.ref


def hoist(auto_schema: AutoSchema, name: str, schema: Mapping[str, Any]) -> Any:
    """Register a JSON Schema, and every object and choice in it as a component of its own.

    Generators make a class of what has a name; of an object that has none, some make nothing.
    Returns the reference to the whole.
    """
    objects = {pointer: found for pointer, *found in _objects(schema, name, "#")}
    names = {pointer: name for pointer, (name, _) in objects.items()}
    for pointer, (name, part) in objects.items():
        component(auto_schema, "schemas", name, _referring(part, pointer, names))
    return _referring({"$ref": "#"}, "", names)


def camel(text: str) -> str:
    """The text as part of a component's name, which is made of letters and digits alone."""
    text = re.sub("[^A-Za-z0-9_]", lambda match: f"_{ord(match[0]):x}_", text)
    return "".join(word[:1].upper() + word[1:] for word in text.split("_"))


def _objects(schema: Any, name: str, pointer: str) -> Iterator[tuple[str, str, Any]]:
    """What is to have a name, each with its JSON pointer, that name, and its own schema."""
    if not isinstance(schema, Mapping):
        return
    if pointer == "#" or "/$defs/" in pointer or {"properties", "enum"} & schema.keys():
        yield pointer, name, schema
    for keyword in ("$defs", "properties"):
        for key, part in schema.get(keyword, {}).items():
            yield from _objects(part, name + camel(key), f"{pointer}/{keyword}/{_escaped(key)}")
    yield from _objects(schema.get("items"), f"{name}Item", f"{pointer}/items")


def _referring(value: Any, pointer: str, names: Mapping[str, str]) -> Any:
    """The value at a pointer, with references in place of the objects that have names."""
    match value:
        case {"$ref": str(target)} if target.startswith("#"):
            place = max((each for each in names if f"{target}/".startswith(f"{each}/")), key=len)
            return {**value, "$ref": f"#/components/schemas/{names[place]}{target[len(place) :]}"}
        case {**items}:
            parts = ((key, part, f"{pointer}/{_escaped(key)}") for key, part in items.items())
            return {
                key: _referring({"$ref": at} if at in names else part, at, names)
                for key, part, at in parts
                if key != "$defs"
            }
        case list() | tuple():
            return [_referring(part, f"{pointer}/-", names) for part in value]
        case _:
            return value


def _escaped(key: object) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")
