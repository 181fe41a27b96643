"""Formats, from images that qemu-img and genisoimage made."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from django_image_tasks.exceptions import TaskCancelled, TaskFailed
from tests.handlers import images
from tests.requirements import needs, needs_program

needs("oslo_utils")

from django_image_tasks.handlers.image_import.inspection import Inspection, inspect  # noqa: E402

MIB = 2**20


def found_in(path: Path) -> Inspection:
    return inspect(path, lambda: None)


def written(directory: Path, data: bytes) -> Path:
    path = directory / "image"
    path.write_bytes(data)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(TaskFailed) as caught:
        found_in(path)
    return str(caught.value)


@pytest.fixture
def create(tmp_path: Path) -> Callable[..., Path]:
    """Make an image of 8 MiB with ``qemu-img create``."""
    program = needs_program("qemu-img")

    def create(format: str, *options: str) -> Path:
        path = tmp_path / "image"
        command = [program, "create", "-q", "-f", format, *options, str(path), "8M"]
        subprocess.run(command, check=True, capture_output=True)
        return path

    return create


@pytest.fixture
def iso(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a").write_text("a")
    path = tmp_path / "image"
    command = [needs_program("genisoimage"), "-quiet", "-o", str(path), str(tmp_path / "files")]
    subprocess.run(command, check=True, capture_output=True)
    return path


def boot_sector(partitions: bytes) -> bytes:
    return (bytes(446) + partitions.ljust(64, b"\0") + b"\x55\xaa").ljust(512, b"\0")


# What is recognised


@pytest.mark.parametrize(
    ("format", "options", "name"),
    [
        ("qcow2", [], "qcow2"),
        ("raw", [], "raw"),
        ("vmdk", [], "vmdk"),
        ("vmdk", ["-o", "subformat=streamOptimized"], "vmdk"),
        ("vdi", [], "vdi"),
        ("vhdx", [], "vhdx"),
        ("parallels", [], "ploop"),
    ],
)
def test_disk_format(
    create: Callable[..., Path], format: str, options: list[str], name: str
) -> None:
    assert found_in(create(format, *options)) == Inspection(name, 8 * MIB)


@pytest.mark.parametrize("options", [[], ["-o", "subformat=fixed"]])
def test_vhd_is_rounded_to_whole_cylinders(create: Callable[..., Path], options: list[str]) -> None:
    found = found_in(create("vpc", *options))
    assert found == Inspection("vhd", 8 * MIB + 4 * 512)


def test_luks_is_as_large_as_its_payload(tmp_path: Path) -> None:
    assert found_in(written(tmp_path, images.luks())) == Inspection("luks", MIB)


def test_qcow2_of_nothing(tmp_path: Path) -> None:
    assert found_in(written(tmp_path, images.qcow2(size=0))) == Inspection("qcow2", 0)


def test_iso(iso: Path) -> None:
    assert found_in(iso) == Inspection("iso", iso.stat().st_size)


def test_iso_that_ends_with_its_mark(tmp_path: Path) -> None:
    path = written(tmp_path, bytes(32768) + b"\1CD001")
    assert found_in(path) == Inspection("iso", 32774)


def test_bootable_iso_with_a_partition_table(iso: Path) -> None:
    with iso.open("r+b") as file:
        file.write(boot_sector(b"\x80" + bytes(3) + b"\x17" + bytes(11)))
    assert found_in(iso) == Inspection("iso", iso.stat().st_size)


@pytest.mark.parametrize("partitions", [b"", b"\x00\x00\x02\x00\xee" + bytes(3) + b"\x01"])
def test_partitioned_disk_is_raw(tmp_path: Path, partitions: bytes) -> None:
    path = tmp_path / "image"
    path.write_bytes(boot_sector(partitions) + bytes(MIB))
    assert found_in(path) == Inspection("raw", MIB + 512)


@pytest.mark.parametrize("size", [1, 511, 513, 3 * MIB])
def test_anything_else_is_raw(tmp_path: Path, size: int) -> None:
    path = tmp_path / "image"
    path.write_bytes(b"\xff" * size)
    assert found_in(path) == Inspection("raw", size)


# What is refused


def test_backing_file(create: Callable[..., Path]) -> None:
    path = create("qcow2", "-u", "-b", "/etc/passwd", "-F", "raw")
    assert refusal(path) == "Unsafe qcow2 image: Image has a backing file"


def test_backing_file_in_a_header_that_is_cut_short(create: Callable[..., Path]) -> None:
    path = create("qcow2", "-u", "-b", "/etc/passwd", "-F", "raw")
    path.write_bytes(path.read_bytes()[:500])
    assert refusal(path) == "Unsafe qcow2 image: Image has a backing file"


def test_format_that_nobody_should_use(create: Callable[..., Path]) -> None:
    assert refusal(create("qed")) == "Unsafe qed image: This file format is not allowed"


def test_two_formats_at_once(iso: Path) -> None:
    with iso.open("r+b") as file:
        file.write(b"QFI\xfb")
    assert refusal(iso) == "Several formats at once: iso, qcow2"


def test_another_format_with_a_partition_table(tmp_path: Path) -> None:
    image = bytearray(images.qcow2())
    image[446:512] = boot_sector(b"\x80" + bytes(3) + b"\x17" + bytes(11))[446:]
    assert refusal(written(tmp_path, bytes(image))) == "Several formats at once: gpt, qcow2"


def test_fixed_vhd_of_another_format(tmp_path: Path) -> None:
    inner = images.qcow2()
    path = written(tmp_path, inner + images.vhd_footer(2, len(inner)))
    assert refusal(path) == "Several formats at once: qcow2, vhd"


def test_luks_whose_payload_is_past_its_end(tmp_path: Path) -> None:
    path = written(tmp_path, images.luks(payload=1 << 20))
    assert refusal(path) == "The image's format cannot be told: its header is damaged"


def test_ploop_of_another_version(tmp_path: Path) -> None:
    path = written(tmp_path, images.ploop(version=3))
    assert refusal(path) == "The image's format cannot be told: its header is damaged"


def test_virtual_size_over_the_limit(
    create: Callable[..., Path], configure: Callable[..., None]
) -> None:
    configure(IMPORT_MAX_VIRTUAL_SIZE=8 * MIB)
    assert found_in(create("qcow2")).virtual_size == 8 * MIB
    configure(IMPORT_MAX_VIRTUAL_SIZE=8 * MIB - 512)
    assert refusal(create("qcow2")) == "Disk of 8 MiB is larger than the limit of 8 MiB"


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(b"a" * 600 + b"\xff" * MIB, id="descriptor-that-is-no-text"),
        pytest.param(b"vhdxfile" + b"\xff" * MIB, id="size-out-of-reach"),
    ],
)
def test_header_made_to_break_the_parser(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "image"
    path.write_bytes(damaged)
    assert refusal(path) == "The image's format cannot be told: its header is damaged"


def test_interruption_passes(create: Callable[..., Path]) -> None:
    def report() -> None:
        raise TaskCancelled("Cancelled by ada")

    with pytest.raises(TaskCancelled):
        inspect(create("raw"), report)
