"""Images that would make the program that opens them open another file are refused."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from django_image_tasks.exceptions import TaskFailed
from tests.handlers import images
from tests.requirements import needs, needs_program

needs("oslo_utils")

from django_image_tasks.handlers.image_import.inspection import Inspection, inspect  # noqa: E402

MIB = 2**20
Verdict = Callable[[bytes], Inspection | str]

PARENT = "it has a parent, as every differencing disk does"
ONE_FILE = "make one file of them first, with qemu-img convert -O vmdk"
ELSEWHERE = "Unsafe vmdk image: its disk is in other files, by its "
DESCRIPTOR = f"Source answered a VMDK descriptor, whose disk is in other files: {ONE_FILE}"


@pytest.fixture
def verdict(tmp_path: Path) -> Verdict:
    """What is found in an image, or why it is refused."""

    def verdict(data: bytes) -> Inspection | str:
        path = tmp_path / "image"
        path.write_bytes(data)
        try:
            return inspect(path, lambda: None)
        except TaskFailed as error:
            return str(error)

    return verdict


# VMDK


@pytest.mark.parametrize(
    "image",
    [
        images.vmdk(),
        images.vmdk(create_type="streamOptimized"),
        images.vmdk(parent_cid="FFFFFFFF"),
        images.vmdk(extents='RDONLY 2048 SPARSE "disk.vmdk"\r\n'),
        images.vmdk(lines='# A comment\nddb.adapterType = "ide"\nencoding="UTF-8"\n'),
    ],
)
def test_vmdk_alone(verdict: Verdict, image: bytes) -> None:
    assert verdict(image) == Inspection("vmdk", MIB)


@pytest.mark.parametrize(
    ("image", "parent"),
    [
        ({"lines": 'parentFileNameHint="Secret.img"\n'}, "'Secret.img'"),
        ({"lines": 'PARENTFILENAMEHINT = "secret.img"\n'}, "'secret.img'"),
        ({"lines": '# parentFileNameHint="secret.img"\n'}, "'secret.img'"),
        ({"lines": 'ddb.x = "parentFileNameHint=secret.img"\n'}, "'secret.img'"),
        ({"lines": 'parentFileNameHint="/\x1b[2J\\"\n'}, r"'/\x1b[2J\\'"),
        ({"lines": f'parentFileNameHint="{"a" * 9999}"\n'}, f"'{'a' * 255}'"),
        # qemu reads 20 sectors and libvirt 32 KiB, however long the header says that it is.
        ({"descriptor_sectors": 1, "beyond": b'parentFileNameHint="x"\n'}, "'x'"),
        ({"parent_cid": "00000001"}, "by its parentCID"),
        ({"parent_cid": "ffffffff0"}, "by its parentCID"),
        ({"lines": "parentCID=00000001\n"}, "by its parentCID"),
        ({"lines": "#PARENTCID = 00000001\n"}, "by its parentCID"),
    ],
)
def test_vmdk_with_a_parent(verdict: Verdict, image: dict[str, str], parent: str) -> None:
    refused = f"Unsafe vmdk image: it names a parent, {parent}"
    assert verdict(images.vmdk(**image)) == refused  # type: ignore[arg-type]


FLAT = 'RW 2048 FLAT "secret.img" 0\n'


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ({"create_type": "monolithicFlat"}, "createType monolithicflat"),
        ({"create_type": "twoGbMaxExtentSparse"}, "createType twogbmaxextentsparse"),
        ({"create_type": "fullDevice"}, "createType fulldevice"),
        ({"create_type": "custom"}, "createType custom"),
        # qemu takes the first of two, and does not mind what comes before the name.
        ({"lines": 'createType=|monolithicFlat"\n'}, "createType unknown and monolithicsparse"),
        ({"lines": '#createType="vmfs"\n'}, "createType vmfs and monolithicsparse"),
        ({"extents": FLAT}, "extents"),
        ({"extents": f'RW 8 SPARSE "disk.vmdk"\n{FLAT}'}, "extents"),
        ({"extents": ""}, "extents"),
        ({"lines": f"# x\r{FLAT}"}, "extents"),
        # qemu then believes the descriptor, and opens its extents.
        ({"capacity": 0, "extents": FLAT}, "size of 0 bytes"),
    ],
)
def test_vmdk_with_its_disk_elsewhere(verdict: Verdict, image: dict[str, str], reason: str) -> None:
    refused = f"{ELSEWHERE}{reason}: {ONE_FILE}"
    assert verdict(images.vmdk(**image)) == refused  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "image",
    [
        images.vmdk_descriptor(),
        images.vmdk_descriptor(b"# Disk DescriptorFile\n"),
        images.vmdk_descriptor(b"# Disk DescriptorFile\n", bytes(1 << 16)),
        images.vmdk_descriptor(b"# x\n", bytes(1 << 13)),
        images.vmdk_descriptor(b"#\0\n"),
        images.vmdk_descriptor(b"#\xff\n"),
        images.vmdk_descriptor(b"\n \n\t\n"),
        images.vmdk_descriptor(b"  \r\n# x\r\n", end=b"\r\n"),
        images.vmdk_descriptor(b"\xef\xbb\xbf"),
        images.vmdk_descriptor(b"#" + b"x" * 4096 + b"\n"),
        images.vmdk_descriptor(tail=b"\xff" * 4096),
        images.vmdk_descriptor().upper(),
        images.vmdk_descriptor().replace(b"version=1\n", b""),
        b"# Disk DescriptorFile\n\0",
    ],
)
def test_vmdk_descriptor_without_its_disk(verdict: Verdict, image: bytes) -> None:
    assert verdict(image) == DESCRIPTOR


def test_vmdk_extent_without_its_descriptor(verdict: Verdict) -> None:
    refused = f"Source answered one extent of a VMDK, whose disk is in other files: {ONE_FILE}"
    assert verdict(b"KDMV\1\0\0\0" + bytes(MIB)) == refused


@pytest.mark.parametrize("subformat", ["monolithicFlat", "twoGbMaxExtentSparse"])
def test_vmdk_split_by_qemu(verdict: Verdict, tmp_path: Path, subformat: str) -> None:
    path = tmp_path / "split.vmdk"
    qemu_img("create", "-f", "vmdk", "-o", f"subformat={subformat}", str(path), "1M")
    assert verdict(path.read_bytes()) == DESCRIPTOR


def test_vmdk_stream_whose_footer_tells_another_size(verdict: Verdict) -> None:
    stream = "streamOptimized"
    image = images.vmdk(create_type=stream, footer_capacity=2048)
    assert verdict(image) == Inspection("vmdk", MIB)
    refused = "Damaged vmdk image: its header and its footer disagree on its size"
    assert verdict(images.vmdk(create_type=stream, footer_capacity=2049)) == refused


def test_vmdk_stream_of_a_header_alone(verdict: Verdict) -> None:
    image = images.vmdk(create_type="streamOptimized", footer_capacity=2048)[:600]
    assert verdict(image) == f"{ELSEWHERE}createType unknown: {ONE_FILE}"


# VHD


@pytest.mark.parametrize("lead", [b"", b"\xff" * 446 + bytes(64) + b"\x55\xaa"])
def test_fixed_vhd(verdict: Verdict, lead: bytes) -> None:
    image = lead.ljust(MIB, b"\0") + images.vhd_footer(2)
    assert verdict(image) == Inspection("vhd", MIB)


def test_resized_vhd_is_of_its_current_size(verdict: Verdict) -> None:
    footer = bytearray(images.vhd_footer(3))
    footer[48:56] = struct.pack(">Q", 3 * MIB)
    assert verdict(footer.ljust(65536, b"\0")) == Inspection("vhd", 3 * MIB)


@pytest.mark.parametrize(
    ("image", "refused"),
    [
        (images.vhd_footer(4).ljust(65536, b"\0"), f"Unsafe vhd image: {PARENT}"),
        (bytes(MIB) + images.vhd_footer(4), f"Unsafe vhd image: {PARENT}"),
        (bytes(MIB) + images.vhd_footer(4)[:-1], f"Unsafe vhd image: {PARENT}"),
        (images.vhd_footer(3).ljust(MIB) + images.vhd_footer(4), f"Unsafe vhd image: {PARENT}"),
        (
            images.vhd_footer(3).ljust(MIB) + images.vhd_footer(3, 2 * MIB),
            "Damaged vhd image: its header and its footer disagree",
        ),
        (
            bytes(MIB) + images.vhd_footer(3),
            "Damaged vhd image: its header is missing, or its type is unknown",
        ),
        (
            images.vhd_footer(5).ljust(65536, b"\0"),
            "Damaged vhd image: its header is missing, or its type is unknown",
        ),
        (
            bytes(MIB) + images.vhd_footer(2, 2 * MIB),
            "Damaged vhd image: 2097152 bytes of disk and a footer in a file of 1049088",
        ),
    ],
)
def test_vhd_refused(verdict: Verdict, image: bytes, refused: str) -> None:
    assert verdict(image) == refused


# VDI


@pytest.mark.parametrize("kind", [1, 2])
def test_vdi_alone(verdict: Verdict, kind: int) -> None:
    assert verdict(images.vdi(kind)) == Inspection("vdi", MIB)


@pytest.mark.parametrize(
    "image",
    [images.vdi(4), images.vdi(3), images.vdi(linked=b"\1"), images.vdi(parent=bytes(15) + b"\1")],
)
def test_vdi_with_a_parent(verdict: Verdict, image: bytes) -> None:
    assert verdict(image) == f"Unsafe vdi image: {PARENT}"


def test_vdi_of_another_version(verdict: Verdict) -> None:
    assert verdict(images.vdi(version=1)) == "Unsupported vdi image: its version is not 1.1"


# VHDX, from what qemu-img creates


@pytest.fixture
def vhdx(tmp_path: Path) -> bytearray:
    path = tmp_path / "image.vhdx"
    qemu_img("create", "-f", "vhdx", str(path), "1M")
    return bytearray(path.read_bytes())


def entry(image: bytearray, item: str) -> int:
    """Where the metadata's table tells of an item."""
    return image.index(UUID(item).bytes_le)


def test_vhdx_that_has_a_parent(verdict: Verdict, vhdx: bytearray) -> None:
    assert verdict(vhdx) == Inspection("vhdx", MIB)
    table = vhdx.index(b"metadata")
    item = entry(vhdx, "caa16737-fa36-4d43-b3b6-33f0aa44e76b")
    (place,) = struct.unpack_from("<I", vhdx, item + 16)
    vhdx[table + place + 4] |= 2
    assert verdict(vhdx) == f"Unsafe vhdx image: {PARENT}"


def test_vhdx_that_tells_where_its_parent_is(verdict: Verdict, vhdx: bytearray) -> None:
    item = entry(vhdx, "beca12ab-b2e6-4523-93ef-c309e000c746")  # an identifier, not looked at
    vhdx[item : item + 16] = UUID("a8d35f2d-b30b-454d-abf7-d3d84834ab0c").bytes_le
    assert verdict(vhdx) == f"Unsafe vhdx image: {PARENT}"


@pytest.mark.parametrize("header", [64 * 1024, 128 * 1024])
def test_vhdx_with_a_log_to_replay(verdict: Verdict, vhdx: bytearray, header: int) -> None:
    vhdx[header + 48] = 1
    assert verdict(vhdx) == (
        "Unsafe vhdx image: it was not closed, and its log waits to be replayed: "
        "do so first, with qemu-img check -r all"
    )


def test_vhdx_with_two_region_tables_that_differ(verdict: Verdict, vhdx: bytearray) -> None:
    vhdx[256 * 1024 + 16] ^= 1
    assert verdict(vhdx) == "The image's format cannot be told: its header is damaged"


def test_vhdx_with_two_places_of_its_metadata(verdict: Verdict, vhdx: bytearray) -> None:
    for table in (192 * 1024, 256 * 1024):
        entries = vhdx[table + 16 : table + 16 + 2 * 32]
        vhdx[table + 16 + 2 * 32 : table + 16 + 4 * 32] = entries
    assert verdict(vhdx) == "The image's format cannot be told: its header is damaged"


# qcow2


@pytest.mark.parametrize(
    ("image", "refused"),
    [
        (
            images.qcow2(features=16),
            "Extended L2 entries (extended_l2) of qcow2 are not supported: "
            "convert the image first, with qemu-img convert -O qcow2",
        ),
        (images.qcow2(features=32), "Unsafe qcow2 image: Unknown QCOW2 features found"),
        (images.qcow2(features=4), "Unsafe qcow2 image: Image has data_file set"),
        (
            images.qcow2(extensions=struct.pack(">II8sII", 0xE2792ACA, 3, b"raw", 0x44415441, 1)),
            "Unsafe qcow2 image: it names a data file",
        ),
        (
            images.qcow2(version=2, extensions=struct.pack(">II", 0x44415441, 1)),
            "Unsafe qcow2 image: it names a data file",
        ),
        (images.qcow2(version=1), "Unsafe qcow2 image: Unsupported qcow2 version"),
    ],
)
def test_qcow2_refused(verdict: Verdict, image: bytes, refused: str) -> None:
    assert verdict(image) == refused


@pytest.mark.parametrize("version", [2, 3])
def test_qcow2_alone(verdict: Verdict, version: int) -> None:
    assert verdict(images.qcow2(version=version)) == Inspection("qcow2", MIB)


def qemu_img(*arguments: str) -> None:
    subprocess.run([needs_program("qemu-img"), *arguments], check=True, capture_output=True)
