"""What a task's input declares of its image, and whether the image keeps to it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Set
from typing import Any

from django_image_tasks.exceptions import InvalidInput, TaskFailed
from django_image_tasks.handlers.image_import.signatures import COMPRESSED, SIGNATURES, TAR
from django_image_tasks.handlers.image_import.source import Source, parse
from django_image_tasks.redaction import redact

ALIASES = {"gpt": "raw", "vpc": "vhd"}
KINDS_OF_RAW = {"ami", "ari", "aki"}
"""Formats whose images have no mark of their own: an Amazon disk, its ramdisk and its kernel."""
KERNELS = {"an ELF program", *(each.name for each in SIGNATURES if each.advice is COMPRESSED)}
"""Signatures that only an image of :data:`KINDS_OF_RAW` may have."""


class Declaration:
    """The parts of an input that is valid under the schema; what it leaves out has defaults."""

    def __init__(self, input: Mapping[str, Any]) -> None:
        self.uri: str = input["import_from"]
        checksum: Mapping[str, str] = input.get("checksum", {})
        self.algorithm = checksum.get("algorithm", "")
        self.digest = checksum.get("value", "").lower()
        properties: Mapping[str, str] = input.get("image_properties", {})
        self.name = properties.get("name", "")
        self.container_format = properties.get("container_format", "bare")
        formats = input.get("import_from_format", ""), properties.get("disk_format", "")
        self.formats: list[str] = [name for each in formats if (name := each.strip())]
        """The format of the file, then that of the image, each if it is declared."""

    def validate(self) -> None:
        """Check what the schema cannot say.

        Raises InvalidInput for a source that the settings do not allow, and for a checksum of
        another length than its algorithm's.
        """
        parse(self.uri)
        if self.algorithm:
            hash_ = hashlib.new(self.algorithm, usedforsecurity=False)
            if len(self.digest) != 2 * hash_.digest_size:
                raise InvalidInput(f"The given checksum is not one of {self.algorithm}.")

    def source(self) -> Source:
        """Where to download the image; raises TaskFailed if the settings no longer allow it."""
        try:
            return parse(self.uri)
        except InvalidInput:
            raise TaskFailed(f"{redact(self.uri)} is not allowed") from None

    @property
    def algorithms(self) -> Set[str]:
        """The digests to compute: those of the result and that of the declared checksum."""
        return {"md5", "sha512", self.algorithm} - {""}

    def check_digest(self, digests: Mapping[str, str]) -> None:
        """Compare the checksum, if one is declared; raises TaskFailed if it is another."""
        if self.algorithm and (got := digests[self.algorithm]) != self.digest:
            raise TaskFailed(f"Checksum mismatch: expected {self.digest}, got {got}")

    @property
    def allowed_signatures(self) -> Set[str]:
        """Names of :data:`~.signatures.SIGNATURES` that the declared formats permit."""
        tar = {TAR} if self.container_format.lower() == "ova" else set()
        return tar if self._kind_of_raw == "raw" else tar | KERNELS

    def agreed_format(self, found: str) -> str:
        """The format found or, where that is raw, the declared kind of raw.

        Raises TaskFailed if another one is declared.
        """
        for declared in self.formats:
            name = declared.lower()
            if found != ("raw" if name in KINDS_OF_RAW else ALIASES.get(name, name)):
                raise TaskFailed(f"Declared {declared}, found {found}")
        return self._kind_of_raw if found == "raw" else found

    @property
    def _kind_of_raw(self) -> str:
        """The image's declared format if nothing in a file tells it from raw, else ``raw``."""
        name = self.formats[-1].lower() if self.formats else ""
        return name if name in KINDS_OF_RAW else "raw"
