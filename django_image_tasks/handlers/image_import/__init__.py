"""The handler of ``import`` tasks: an image is downloaded, verified and stored."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID, uuid5

from django.dispatch import Signal
from django.utils.translation import gettext_noop as _

from django_image_tasks.exceptions import InvalidInput, TaskFailed
from django_image_tasks.handlers.base import Context, Handler
from django_image_tasks.handlers.image_import import source, storage
from django_image_tasks.handlers.image_import.schema import INPUT_SCHEMA
from django_image_tasks.signals import image_imported

__all__ = ["ImageImport"]


class ImageImport(Handler):
    """Fetches an image over HTTP, verifies it and puts it into Django's storage."""

    type: ClassVar[str] = "import"
    title: ClassVar[str] = _("Import an image")
    input_schema: ClassVar[Mapping[str, Any]] = INPUT_SCHEMA
    succeeded: ClassVar[Signal | None] = image_imported

    def validate(self, input: Mapping[str, Any]) -> None:
        source.parse(input["import_from"])
        checksum = input.get("checksum")
        if checksum and len(checksum["value"]) != _digits(checksum["algorithm"]):
            raise InvalidInput(f"The given checksum is not one of {checksum['algorithm']}.")

    def run(self, context: Context) -> Mapping[str, Any]:
        try:
            from django_image_tasks.handlers.image_import.verification import fetch_verified
        except ImportError as error:
            raise TaskFailed(
                f"{error.name} is missing: the worker needs the extra 'import'"
            ) from error
        image = fetch_verified(context)
        image_id = _image_id(context.task_id, context.input)
        location = storage.save(image.path, image_id, context)
        properties = dict(context.input.get("image_properties", {}))
        properties.pop("disk_format", None)
        return {
            "image_id": str(image_id),
            "name": properties.pop("name", ""),
            "location": location,
            "size": image.size,
            "virtual_size": image.virtual_size,
            "disk_format": image.disk_format,
            "container_format": properties.pop("container_format", "bare"),
            "checksum": image.md5,
            "os_hash_algo": "sha512",
            "os_hash_value": image.sha512,
            "properties": properties,
        }

    def discard(self, task_id: UUID, attempt: int, input: Mapping[str, Any]) -> None:
        storage.discard(_image_id(task_id, input), task_id, attempt)


def _image_id(task_id: UUID, input: Mapping[str, Any]) -> UUID:
    """The id that was asked for, else one that every attempt makes up alike."""
    return UUID(input["image_id"]) if "image_id" in input else uuid5(task_id, "image")


def _digits(algorithm: str) -> int:
    return 2 * hashlib.new(algorithm, usedforsecurity=False).digest_size
