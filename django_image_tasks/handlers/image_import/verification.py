"""A downloaded image held against what its task says of it."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django_image_tasks.exceptions import InvalidInput, ScratchFailed, TaskFailed
from django_image_tasks.handlers.base import Context
from django_image_tasks.handlers.image_import import source
from django_image_tasks.handlers.image_import.download import download
from django_image_tasks.handlers.image_import.inspection import inspect
from django_image_tasks.handlers.image_import.signatures import COMPRESSED, SIGNATURES, TAR
from django_image_tasks.redaction import redact

STORED_DIGESTS = {"md5", "sha512"}
ALIASES = {"gpt": "raw", "vpc": "vhd"}
KINDS_OF_RAW = {"ami", "ari", "aki"}
KERNELS = {"an ELF program", *(each.name for each in SIGNATURES if each.advice is COMPRESSED)}
"""What a kernel, its ramdisk and an Amazon image may be, and no other image."""


@dataclass(frozen=True)
class VerifiedImage:
    path: Path
    size: int
    """In bytes."""
    virtual_size: int
    """Bytes of the disk that the image describes."""
    disk_format: str
    """In the Image API's words."""
    md5: str
    sha512: str


def fetch_verified(context: Context) -> VerifiedImage:
    """Download, digest and inspect the image of an ``import`` task.

    Raises :exc:`~django_image_tasks.exceptions.TaskFailed` if it is not what the task's input says
    or not safe, and what :func:`~.download.download` raises.
    """
    expected = context.input.get("checksum", {})
    algorithms = STORED_DIGESTS | {expected["algorithm"]} if expected else STORED_DIGESTS
    arrived = download(_source(context.input["import_from"]), context, algorithms)
    if expected:
        _check_digest(expected["value"].lower(), arrived.digests[expected["algorithm"]])
    report = partial(context.progress, arrived.size, arrived.size)
    try:
        found = inspect(arrived.path, report, _allowed(context.input))
    except OSError as error:
        raise ScratchFailed(error) from error
    return VerifiedImage(
        path=arrived.path,
        size=arrived.size,
        virtual_size=found.virtual_size,
        disk_format=_agreed_format(context.input, found.disk_format),
        md5=arrived.digests["md5"],
        sha512=arrived.digests["sha512"],
    )


def _source(uri: str) -> source.Source:
    try:
        return source.parse(uri)
    except InvalidInput:  # allowed when the task was created, but no more
        raise TaskFailed(f"{redact(uri)} is not allowed") from None


def _check_digest(expected: str, got: str) -> None:
    if got != expected:
        raise TaskFailed(f"Checksum mismatch: expected {expected}, got {got}")


def _allowed(input: Mapping[str, Any]) -> Set[str]:
    """Names of the signatures that the declared formats permit."""
    container = input.get("image_properties", {}).get("container_format", "")
    tar = {TAR} if container.lower() == "ova" else set()
    return tar if _kind_of_raw(input) == "raw" else tar | KERNELS


def _agreed_format(input: Mapping[str, Any], found: str) -> str:
    """The found format, or the declared one where nothing in an image tells it from raw."""
    for declared in filter(None, _declared(input)):
        name = declared.lower()
        if found != ("raw" if name in KINDS_OF_RAW else ALIASES.get(name, name)):
            raise TaskFailed(f"Declared {declared}, found {found}")
    return _kind_of_raw(input) if found == "raw" else found


def _kind_of_raw(input: Mapping[str, Any]) -> str:
    source, image = _declared(input)
    name = (image or source).lower()
    return name if name in KINDS_OF_RAW else "raw"


def _declared(input: Mapping[str, Any]) -> tuple[str, str]:
    """What the file is said to be, and what the image shall be."""
    properties = input.get("image_properties", {})
    return input.get("import_from_format", ""), properties.get("disk_format", "")
