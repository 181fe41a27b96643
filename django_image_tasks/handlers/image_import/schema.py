"""The JSON Schema of an ``import`` task's input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop as _

UUID = "^([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$"

INPUT_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["import_from"],
    "additionalProperties": False,
    "examples": [
        {
            "import_from": "https://images.example.org/cirros.qcow2",
            "import_from_format": "qcow2",
            "image_properties": {"name": "cirros"},
        }
    ],
    "properties": {
        "import_from": {
            "type": "string",
            "description": _("The http or https URI of the image."),
            "format": "uri",
            "maxLength": 2048,
        },
        "import_from_format": {
            "type": "string",
            "description": _("The format that the image is in; the import fails if it is another."),
            "maxLength": 64,
        },
        "image_properties": {
            "type": "object",
            "description": _("What the image shall be known by: name, disk_format, …"),
            "properties": {
                "name": {
                    "type": "string",
                    "description": _("A label for the image."),
                    "maxLength": 255,
                },
                "disk_format": {
                    "type": "string",
                    "description": _("The format of the image; the import fails if it is another."),
                    "maxLength": 64,
                },
                "container_format": {
                    "type": "string",
                    "description": _("What the image is packed in; bare, if in nothing."),
                    "maxLength": 64,
                },
            },
        },
        "image_id": {
            "type": "string",
            "description": _("The UUID that the image gets; made up if there is none."),
            "pattern": UUID,
        },
        "checksum": {
            "type": "object",
            "description": _("What the image's digest must be."),
            "required": ["algorithm", "value"],
            "additionalProperties": False,
            "properties": {
                "algorithm": {
                    "type": "string",
                    "description": _("What the digest is computed with."),
                    "enum": ["md5", "sha1", "sha256", "sha512"],
                },
                "value": {
                    "type": "string",
                    "description": _("Hexadecimal digits."),
                    "pattern": "^[0-9a-fA-F]+$",
                    "maxLength": 128,
                },
            },
        },
    },
}

# Forms label their fields with these words, made of the keys. makemessages finds them here.
LABELS = [
    _("Import from"),
    _("Import from format"),
    _("Image properties"),
    _("Disk format"),
    _("Container format"),
    _("Image id"),
    _("Checksum"),
    _("Algorithm"),
    _("Value"),
]
