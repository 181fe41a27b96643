"""Files that are no images, and images of formats that cannot be imported."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from django_image_tasks.exceptions import TaskFailed
from tests.handlers import images
from tests.requirements import needs

needs("oslo_utils")

from django_image_tasks.handlers.image_import.inspection import Inspection, inspect  # noqa: E402

Judge = Callable[..., Inspection]
DATA = bytes(4096)


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    def judge(data: bytes, *allowed: str) -> Inspection:
        path = tmp_path / "image"
        path.write_bytes(data)
        return inspect(path, lambda: None, frozenset(allowed))

    return judge


def tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.add(__file__)
    return file.getvalue()


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("image", DATA)
    return file.getvalue()


NOT = "not an image"
UNCOMPRESS = f"{NOT}: uncompress it first"
UNPACK = f"{NOT}: unpack it first, and import the image that is in it"
CONVERT = "which is not supported: convert it first, with qemu-img convert -O qcow2"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<!DOCTYPE html><html><body>Log in</body></html>", f"an HTML page, {NOT}"),
        (b"\xef\xbb\xbf \r\n<HTML>\xc3\xa9", f"an HTML page, {NOT}"),
        (b"<!-- a --><!-- b -->\n<html>" + DATA, f"an HTML page, {NOT}"),
        (b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "">', f"an HTML page, {NOT}"),
        (b"<html>" + "é".encode() * 4096, f"an HTML page, {NOT}"),
        ("<html>é".encode("utf-16"), f"an HTML page, {NOT}"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied', f"an XML document, {NOT}"),
        (b"<Error>\n<Code>NoSuchKey</Code></Error>", f"an XML document, {NOT}"),
        (b"<br />\n<b>Warning</b>: fopen()", f"an XML document, {NOT}"),
        (json.dumps({"error": "not found"}).encode(), f"a JSON document, {NOT}"),
        (json.dumps([{"error": {}}], indent=2).encode(), f"a JSON document, {NOT}"),
        (json.dumps({"error": "é" * 999}, ensure_ascii=False).encode(), f"a JSON document, {NOT}"),
        (b"{}", f"a JSON document, {NOT}"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n",
            f"a Git LFS pointer, {NOT}: ask its server for the file that it stands for",
        ),
        (b"#!/bin/sh\nexit\n", f"a script, {NOT}"),
        (b"%PDF-1.7\n", f"a PDF document, {NOT}"),
        (b"\x7fELF\2\1\1" + DATA, f"an ELF program, {NOT}"),
        (gzip.compress(DATA, mtime=0), f"a gzip file, {UNCOMPRESS}"),
        (bz2.compress(DATA), f"a bzip2 file, {UNCOMPRESS}"),
        (bz2.compress(b""), f"a bzip2 file, {UNCOMPRESS}"),
        (lzma.compress(DATA), f"an xz file, {UNCOMPRESS}"),
        (lzma.compress(DATA, lzma.FORMAT_ALONE), f"an lzma file, {UNCOMPRESS}"),
        (b"\x28\xb5\x2f\xfd" + DATA, f"a zstd file, {UNCOMPRESS}"),
        (b"\x50\x2a\x4d\x18" + DATA, f"a zstd file, {UNCOMPRESS}"),
        (b"\x04\x22\x4d\x18" + DATA, f"an lz4 file, {UNCOMPRESS}"),
        (zipped(), f"a zip archive, {UNPACK}"),
        (b"7z\xbc\xaf\x27\x1c" + DATA, f"a 7z archive, {UNPACK}"),
        (b"Rar!\x1a\7\1\0" + DATA, f"a RAR archive, {UNPACK}"),
        (tar(), f"a tar archive, {UNPACK}"),
        (b"MSWIM\0\0\0" + DATA, f"a WIM archive, {UNPACK}"),
        (
            b"EVF\x09\r\n\xff\0" + DATA,
            "an E01 image, which is not supported: convert it first, with ewfexport",
        ),
        (
            b"\x3a\xff\x26\xed" + DATA,
            "an Android sparse image, which is not supported: convert it first, with simg2img",
        ),
        (DATA + b"koly".ljust(512, b"\0"), f"a DMG image, {CONVERT}"),
        (images.bochs(), f"a Bochs image, {CONVERT}"),
        (images.CLOOP.ljust(65536, b"\0"), f"a script, {NOT}"),
        (b"COWD\1\0\0\0" + DATA, f"a VMDK of the COWD kind, {CONVERT}"),
        (b"OOOM\0\0\0\2/etc/passwd" + DATA, f"a User-mode Linux COW image, {CONVERT}"),
        # libvirt looks at three bytes of these, the inspectors at four.
        (b"QFI\0" + images.qcow2()[4:], "a qcow2 or QED image, whose header is damaged"),
        (b"QED\1" + DATA, "a qcow2 or QED image, whose header is damaged"),
    ],
)
def test_what_is_no_image(judge: Judge, data: bytes, words: str) -> None:
    with pytest.raises(TaskFailed) as caught:
        judge(data)
    assert str(caught.value) == f"Source answered {words}"


@pytest.mark.parametrize(
    "data",
    [
        b"an image",
        b"<" + DATA,
        b"<htmlx" + DATA,
        b"<a>" + DATA,
        b"{" + DATA,
        b'{"' + DATA,
        b"[1" + DATA,
        b"version 1" + DATA,
        b"#" + DATA,
        b"#!" + DATA,
        b"\x1f\x8b" + DATA,
        b"BZh9" + DATA,
        b"\xeb\x3c\x90MSDOS5.0" + DATA,
        b"\n" * 70000 + b"<html>",
        (b"#\n" * 70000) + b"version=1\n",
    ],
)
def test_what_only_begins_alike_is_raw(judge: Judge, data: bytes) -> None:
    assert judge(data) == Inspection("raw", len(data))


def test_what_is_allowed_counts_as_raw(judge: Judge) -> None:
    data = gzip.compress(DATA)
    assert judge(data, "a gzip file") == Inspection("raw", len(data))
    with pytest.raises(TaskFailed):
        judge(data, "a tar archive")
