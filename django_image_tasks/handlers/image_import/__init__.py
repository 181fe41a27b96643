"""The handler of ``import`` tasks: download, inspection, storage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django_image_tasks.handlers.base import Context, Handler
from django_image_tasks.handlers.image_import import source

__all__ = ["ImageImport"]

UUID_PATTERN = "^[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}$"


class ImageImport(Handler):
    """Fetches an image over HTTP, verifies it and puts it into Django's storage."""

    type: ClassVar[str] = "import"
    title: ClassVar[str] = "Import an image"
    input_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "required": ["import_from"],
        "additionalProperties": False,
        "properties": {
            "import_from": {
                "type": "string",
                "maxLength": 2048,
                "description": "The http or https URI of the image.",
            },
        },
    }

    def validate(self, input: Mapping[str, Any]) -> None:
        source.parse(input["import_from"])

    def run(self, context: Context) -> Mapping[str, Any]:
        raise NotImplementedError
