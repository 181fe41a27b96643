"""The handler of ``import`` tasks: it downloads, checks, inspects and stores one image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from django.utils.translation import gettext_noop as _

from django_image_tasks.exceptions import TaskFailed
from django_image_tasks.handlers.base import Context, Handler
from django_image_tasks.handlers.image_import import storage
from django_image_tasks.handlers.image_import.declaration import Declaration
from django_image_tasks.handlers.image_import.schema import INPUT_SCHEMA
from django_image_tasks.signals import image_imported

__all__ = ["ImageImport"]


class ImageImport(Handler):
    """Brings an image from a web server into Django's storage; the result describes it."""

    type = "import"
    title = _("Import an image")
    input_schema = INPUT_SCHEMA
    succeeded = image_imported

    def validate(self, input: Mapping[str, Any]) -> None:
        """Raise InvalidInput for a source that is not allowed, or a checksum that cannot be one."""
        Declaration(input).validate()

    def run(self, context: Context) -> Mapping[str, Any]:
        """Download, check, inspect and store the image, and describe what was stored.

        Raises TaskFailed if the image is refused or the extra ``import`` is missing, and
        AttemptFailed if the source, the scratch directory or the storage fails.
        """
        with _extra_is_needed():
            from django_image_tasks.handlers.image_import.download import download
            from django_image_tasks.handlers.image_import.inspection import inspect

        declared = Declaration(context.input)
        image = download(declared.source(), context, declared.algorithms)
        declared.check_digest(image.digests)
        report = partial(context.progress, image.size, image.size)
        found = inspect(image.path, report, declared.allowed_signatures)
        disk_format = declared.agreed_format(found.disk_format)
        image_id = _image_id(context.task_id, context.input)
        location = storage.save(image.path, image_id, context)
        return {
            "image_id": str(image_id),
            "name": declared.name,
            "location": location,
            "size": image.size,
            "virtual_size": found.virtual_size,
            "disk_format": disk_format,
            "container_format": declared.container_format,
            "checksum": image.digests["md5"],
            "os_hash_algo": "sha512",
            "os_hash_value": image.digests["sha512"],
        }

    def discard(self, task_id: UUID, attempt: int, input: Mapping[str, Any]) -> None:
        """Remove the attempt's object from the storage."""
        storage.discard(_image_id(task_id, input), task_id, attempt)


@contextmanager
def _extra_is_needed() -> Iterator[None]:
    """Fail the task, and not the worker, where a library of the extra ``import`` is missing."""
    try:
        yield
    except ImportError as error:
        raise TaskFailed(f"{error.name} is missing: the worker needs the extra 'import'") from error


def _image_id(task_id: UUID, input: Mapping[str, Any]) -> UUID:
    """The id that the client asked for, or else one derived from the task's, for every attempt."""
    return UUID(input["image_id"]) if "image_id" in input else uuid5(task_id, "image")
