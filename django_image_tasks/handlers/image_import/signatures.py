"""Files that are no images, by the bytes that they begin or end with."""

from __future__ import annotations

import io
import re
from collections.abc import Set
from dataclasses import dataclass
from typing import IO

from django_image_tasks.exceptions import TaskFailed

HEAD = 64 * 1024
TAIL = 512

NO_IMAGE = "not an image"
COMPRESSED = "not an image: uncompress it first"
ARCHIVE = "not an image: unpack it first, and import the image that is in it"
CONVERT = "which is not supported: convert it first, with"
UNSUPPORTED = f"{CONVERT} qemu-img convert -O qcow2"
ONE_FILE = "make one file of them first, with qemu-img convert -O vmdk"
SPLIT = f"whose disk is in other files: {ONE_FILE}"

# Possessive quantifiers (*+) keep the patterns linear on files made to have them backtrack.
START = rb"(?i:(?:\xef\xbb\xbf)?\s*+"
TEXT = rb"(?=[^\0-\x08\x0e-\x1f]{512}|[^\0-\x08\x0e-\x1f]*+\Z)" + START

TAR = "a tar archive"


@dataclass(frozen=True)
class Signature:
    """A kind of file that is no image."""

    name: str
    pattern: bytes
    """A regular expression that matches its first bytes."""
    advice: str = NO_IMAGE
    """What a person can do about it."""


SIGNATURES = [
    # qemu skips comments and blank lines before the version, whatever bytes they hold. This pattern
    # skips yet more, lest a later release of qemu finds a version that it missed.
    Signature(
        "a VMDK descriptor",
        START + rb"(?:(?:[\s\0]++|#[^\n]*+\n)*+version\s*+=|#[ \t]*disk[ \t]*descriptorfile))",
        SPLIT,
    ),
    Signature(
        "an HTML page",
        START + rb"(?:(?:<\?xml.*?\?>|(?><!--.*?-->))\s*+)*+"
        rb"<(?:!doctype\s+html|html|head|body|title|meta|script|style|h1|pre)\b)",
    ),
    Signature("an XML document", START + rb"<\?xml\b)|" + TEXT + rb"<(?:!--|!doctype|[a-z]))"),
    Signature("a JSON document", TEXT + rb"(?:\{\s*+[\"}]|\[\s*+[\[{\"\]\d-]))"),
    Signature(
        "a Git LFS pointer",
        rb"version https?://\S*git",
        "not an image: ask its server for the file that it stands for",
    ),
    Signature("a script", rb"#![ \t]*/"),  # an image of the format cloop begins with one
    Signature("a PDF document", rb"%PDF-"),
    Signature("an ELF program", rb"\x7fELF"),
    Signature("a gzip file", rb"\x1f\x8b\x08", COMPRESSED),
    Signature("a bzip2 file", rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)", COMPRESSED),
    Signature("an xz file", rb"\xfd7zXZ\0", COMPRESSED),
    Signature("an lzma file", rb"\x5d\0\0..(?:\xff{8}|.{5}\0{3})", COMPRESSED),
    Signature("an lz4 file", rb"\x04\x22\x4d\x18|\x02\x21\x4c\x18", COMPRESSED),
    Signature("a zstd file", rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", COMPRESSED),
    Signature("a zip archive", rb"PK(?:\x03\x04|\x05\x06|\x07\x08)", ARCHIVE),
    Signature("a 7z archive", rb"7z\xbc\xaf\x27\x1c", ARCHIVE),
    Signature("a RAR archive", rb"Rar!\x1a\x07", ARCHIVE),
    Signature(TAR, rb".{257}ustar", ARCHIVE),
    Signature("a WIM archive", rb"MSWIM\0\0\0", ARCHIVE),
    Signature("an Android sparse image", rb"\x3a\xff\x26\xed", f"{CONVERT} simg2img"),
    Signature("an E01 image", rb"[EL]VF(?:\x09\r\n|2\r\n)", f"{CONVERT} ewfexport"),
    # qemu or libvirt take these for a disk, and the inspectors do not know them.
    Signature("a VMDK of the COWD kind", rb"COWD", UNSUPPORTED),
    Signature("a Bochs image", rb"Bochs Virtual HD Image", UNSUPPORTED),
    Signature("a User-mode Linux COW image", rb"OOOM|MOOO", UNSUPPORTED),
    Signature("a qcow2 or QED image", rb"QFI(?!\xfb)|QED(?!\0)", "whose header is damaged"),
]


def refuse_non_images(file: IO[bytes], allowed: Set[str]) -> None:
    """Raise TaskFailed for a file with any signature but those that ``allowed`` names."""
    file.seek(0)
    head = file.read(HEAD)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "ignore").encode()
    for signature in SIGNATURES:
        if signature.name not in allowed and re.match(signature.pattern, head, re.DOTALL):
            raise TaskFailed(f"Source answered {signature.name}, {signature.advice}")
    if tail(file).startswith(b"koly"):
        raise TaskFailed(f"Source answered a DMG image, {UNSUPPORTED}")


def tail(file: IO[bytes]) -> bytes:
    """The last 512 bytes of a file, or all of a shorter one. Leaves the file at its end."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - TAIL))
    return file.read(TAIL)
