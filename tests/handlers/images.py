"""Small images, made by hand."""

from __future__ import annotations

import io
import random
import struct
import tarfile

SECTOR = 512
MIB = 2**20
NO_PARENT = "ffffffff"


def vmdk(
    *,
    parent_cid: str = NO_PARENT,
    lines: str = "",
    create_type: str = "monolithicSparse",
    extents: str = 'RW 2048 SPARSE "disk.vmdk"\n',
    capacity: int = 2048,
    descriptor_sectors: int = 20,
    beyond: bytes = b"",
    footer_capacity: int = 0,
) -> bytes:
    """A sparse VMDK of 1 MiB; ``beyond`` follows the descriptor that its header tells of.

    With a ``footer_capacity`` it ends as a stream does, which has its better header there.
    """
    descriptor = (
        "# Disk DescriptorFile\nversion=1\nCID=123a567b\n"
        f'parentCID={parent_cid}\n{lines}createType="{create_type}"\n\n{extents}'
    ).encode()
    if beyond:
        descriptor = descriptor.ljust(descriptor_sectors * SECTOR, b"\n") + beyond
    end = b""
    if footer_capacity:
        marker = struct.pack("<QII", 0, 0, 3).ljust(SECTOR, b"\0")
        end = marker + _vmdk_header(footer_capacity, descriptor_sectors, 26) + bytes(SECTOR)
    header = _vmdk_header(capacity, descriptor_sectors, 2**64 - 1 if end else 26)
    return (header + descriptor.ljust(20 * SECTOR, b"\0")).ljust(MIB // 8, b"\0") + end


def _vmdk_header(capacity: int, descriptor_sectors: int, directory: int) -> bytes:
    fields = (b"KDMV", 1, 3, capacity, 128, 1, descriptor_sectors, 512, 21, directory, 128)
    return (struct.pack("<4sIIQQQQIQQQ", *fields) + b"\0\n \r\n").ljust(SECTOR, b"\0")


def vmdk_descriptor(lead: bytes = b"", tail: bytes = b"", end: bytes = b"\n") -> bytes:
    """The text of a VMDK alone, whose disk is the file beside it."""
    text = b'version=1\nCID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\n'
    extent = b'RW 128 FLAT "secret.img" 0\n'
    return lead + (text + extent).replace(b"\n", end) + tail


def vhd_footer(kind: int, size: int = MIB, geometry: int = 0) -> bytes:
    """The last 512 bytes of a VHD: 2 for fixed, 3 for growing, 4 for differencing."""
    place = 2**64 - 1 if kind == 2 else SECTOR
    fields = (b"conectix", 2, 0x10000, place, 0, b"win ", 0, 0, size, size, geometry, kind)
    footer = struct.pack(">8sIIQI4sIIQQII", *fields).ljust(SECTOR, b"\0")
    return footer[:64] + struct.pack(">I", ~sum(footer) & 0xFFFFFFFF) + footer[68:]


def vdi(kind: int = 1, linked: bytes = b"", parent: bytes = b"", version: int = 0x10001) -> bytes:
    """A VDI of 1 MiB without a block: 1 for growing, 2 for fixed, 4 for differencing."""
    header = bytearray(1024)
    header[:39] = b"<<< Oracle VM VirtualBox Disk Image >>>"
    struct.pack_into("<IIII", header, 64, 0xBEDA107F, version, 400, kind)
    struct.pack_into("<II", header, 340, 512, 1024)
    struct.pack_into("<I4xQIIII", header, 360, SECTOR, MIB, MIB, 0, 1, 0)
    header[392:408] = bytes(range(16))
    header[424 : 424 + len(linked)] = linked
    header[440 : 440 + len(parent)] = parent
    return bytes(header)


def qcow2(
    *, version: int = 3, features: int = 0, size: int = MIB, extensions: bytes = b""
) -> bytes:
    """The first cluster of a qcow2."""
    fields = (b"QFI\xfb", version, 0, 0, 16, size, 0, 0, 196608, 65536, 1, 0, 0)
    header = struct.pack(">4sIQIIQIIQQIIQ", *fields)
    if version > 2:
        header += struct.pack(">QQQII", features, 0, 0, 4, 112) + bytes(8)
    return (header + extensions).ljust(65536, b"\0")


def ploop(magic: bytes = b"WithouFreSpacExt", version: int = 2) -> bytes:
    header = struct.pack("<16sIIIIIQII", magic, version, 16, 4, 2048, 0, 2048, 0, 1)
    return header.ljust(65536, b"\0")


def luks(version: int = 1, payload: int = 4096) -> bytes:
    """A LUKS header and 1 MiB of payload, which begins at sector ``payload``."""
    fields = (b"LUKS\xba\xbe", version, b"aes", b"xts-plain64", b"sha256", payload, 32)
    header = struct.pack(">6sH32s32s32sII", *fields)
    return header.ljust(4096 * SECTOR + MIB, b"\0")


def bochs() -> bytes:
    header = struct.pack("<32s16s16sIIIIIIQ", b"Bochs Virtual HD Image", b"Redolog", b"Growing",
                         0x20000, 512, 64, 1, 64, 0, MIB)  # fmt: skip
    return header.ljust(65536, b"\0")


CLOOP = b"#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0 && mount -r -t iso9660 /dev/cloop $1\n"


def ova(
    *members: tuple[str, bytes], kind: bytes = tarfile.REGTYPE, form: int = tarfile.USTAR_FORMAT
) -> bytes:
    """A tar archive of these names and contents."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size, info.type = len(data), kind
            tar.addfile(info, io.BytesIO(data))
    return file.getvalue()


def flipped(data: bytes, choice: random.Random) -> bytes:
    """The data with some bytes changed, most of them where a header or a footer is."""
    changed = bytearray(data)
    for _ in range(choice.choice([1, 2, 4, 16])):
        within = min(len(data), choice.choice([128, 512, 2048, 11264, 1 << 20]))
        place = choice.randrange(within)
        if choice.random() < 0.2:
            place = -1 - min(place, 1535)
        changed[place] = choice.choice([0, 1, 2, 127, 128, 255, choice.randrange(256)])
    return bytes(changed)
