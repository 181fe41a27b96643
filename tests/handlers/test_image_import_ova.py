"""OVAs, in which every disk is inspected on its own."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from django_image_tasks.exceptions import TaskFailed
from tests.handlers import images
from tests.requirements import needs

needs("oslo_utils")

from django_image_tasks.handlers.image_import.inspection import Inspection, inspect  # noqa: E402
from django_image_tasks.handlers.image_import.signatures import TAR  # noqa: E402

MIB = 2**20
OVF = b'<?xml version="1.0"?><Envelope><File ovf:href="disk.vmdk"/></Envelope>'


def found_in(directory: Path, data: bytes) -> Inspection:
    path = directory / "image"
    path.write_bytes(data)
    return inspect(path, lambda: None, {TAR})


def test_ova_is_known_by_its_disks(tmp_path: Path) -> None:
    ova = images.ova(
        ("machine.ovf", OVF),
        ("machine.mf", b"SHA256(machine.ovf)= 00"),
        ("disk.vmdk", images.vmdk()),
        ("more.vmdk", images.vmdk()),
        ("machine.nvram", bytes(700)),
    )
    assert found_in(tmp_path, ova) == Inspection("vmdk", 2 * MIB)


def test_ova_of_as_many_files_as_there_may_be(tmp_path: Path) -> None:
    ova = images.ova(*((f"{number}.vmdk", images.vmdk()) for number in range(63)))
    assert found_in(tmp_path, ova) == Inspection("vmdk", 63 * MIB)


def test_ova_of_a_plain_disk(tmp_path: Path) -> None:
    assert found_in(tmp_path, images.ova(("disk", bytes(700)))) == Inspection("raw", 700)


@pytest.mark.parametrize(
    ("ova", "refused"),
    [
        (
            images.ova(("disk.vmdk", images.vmdk(lines='parentFileNameHint="x"\n'))),
            "Unsafe vmdk image: it names a parent, 'x'",
        ),
        (
            images.ova(("a.ovf", OVF), ("disk.vmdk", images.vmdk_descriptor(b"#\n"))),
            "Source answered a VMDK descriptor, whose disk is in other files: "
            "make one file of them first, with qemu-img convert -O vmdk",
        ),
        (
            images.ova(("disk.vmdk.gz", b"\x1f\x8b\x08" + bytes(64))),
            "Source answered a gzip file, not an image: uncompress it first",
        ),
        (
            images.ova(("disk.vmdk", images.vmdk()), ("disk.vhd", images.vhd_footer(3))),
            "Several formats at once: vhd, vmdk",
        ),
        (
            images.ova(("disk.vmdk", b""), kind=tarfile.SYMTYPE),
            "Unsafe OVA: 'disk.vmdk' in it is not a file",
        ),
        (
            images.ova(("é" * 60, b""), form=tarfile.PAX_FORMAT),
            "Unsafe OVA: '././@PaxHeader' in it is not a file",
        ),
        (
            images.ova(*((str(number), b"") for number in range(64))),
            "Unsafe OVA: more than 63 files are in it",
        ),
        (
            images.ova(("a.ovf", OVF.replace(b"disk.vmdk", b"../secret.vmdk"))),
            "Unsafe OVA: its description names a file that is not in it, '../secret.vmdk'",
        ),
        (
            images.ova(("a.ovf", b'<!DOCTYPE x [<!ENTITY y SYSTEM "/etc/passwd">]>')),
            "Unsafe OVA: its description declares entities",
        ),
        (
            images.ova(("a.ovf", b'<!DOCTYPE x SYSTEM "/etc/passwd">')),
            "Unsafe OVA: its description declares entities",
        ),
        (
            images.ova(("a.ovf", b'<!ENTITY y SYSTEM "/etc/passwd">')),
            "Unsafe OVA: its description declares entities",
        ),
        (
            images.ova(("a.ovf", "<!DOCTYPE x>".encode("utf-16-le"))),
            "Unsafe OVA: its description declares entities",
        ),
        (
            images.ova((images.vmdk_descriptor(b"#\n").decode()[:99], b"")),
            "Source answered a VMDK descriptor, whose disk is in other files: "
            "make one file of them first, with qemu-img convert -O vmdk",
        ),
        (
            images.ova(("disk", bytes(4096)))[:4096],
            "Damaged OVA: 'disk' in it is cut short",
        ),
        (images.vmdk(), "Declared ova, found vmdk"),
        (bytes(64) + b"\x01" * 512, "Declared ova, found no tar archive"),
    ],
)
def test_ova_refused(tmp_path: Path, ova: bytes, refused: str) -> None:
    with pytest.raises(TaskFailed) as caught:
        found_in(tmp_path, ova)
    assert str(caught.value) == refused
