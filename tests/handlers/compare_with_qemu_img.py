"""Our verdicts on images beside what qemu-img sees in them.

``python -m tests.handlers.compare_with_qemu_img`` prints the table in
``docs/explanation/images-compared.md``, and ends with 1 where the two contradict each other. It
takes minutes.

What we accept must be to ``qemu-img info``, which probes as qemu and most other programs do, the
format that we store it as, with no other file in it. The images are those that ``qemu-img create``
makes with every option that names a file, those made by hand in :mod:`tests.handlers.images`, and
mutants of all of them.
"""

from __future__ import annotations

import json
import logging
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.handlers import images
from tests.requirements import needs_program

SPARSE = ["monolithicSparse", "twoGbMaxExtentSparse", "streamOptimized"]
FLAT = ["monolithicFlat", "twoGbMaxExtentFlat"]
PROBED_AS = {
    "iso": {"raw"},
    "ploop": {"parallels"},
    "vhd": {"vpc", "raw"},  # a fixed one is known by its footer, at which qemu does not look
}
CREATED: dict[str, list[list[str]]] = {
    "raw": [[]],
    "luks": [["--object", "secret,id=key,data=abc", "-o", "key-secret=key,iter-time=200"]],
    "parallels": [[]],
    "qcow": [[], ["-u", "-b", "{base}", "-F", "raw"]],
    "qcow2": [
        [],
        ["-o", "compat=0.10"],
        ["-o", "extended_l2=on"],
        ["-o", "compression_type=zstd"],
        ["-o", "lazy_refcounts=on"],
        ["-u", "-b", "{base}", "-F", "raw"],
        ["-u", "-b", "{base}", "-F", "raw", "-o", "compat=0.10"],
        ["-u", "-b", "json:{{'driver':'file','filename':'{base}'}}", "-F", "raw"],
        ["-u", "-b", "nbd:localhost:1", "-F", "raw"],
        ["-o", "data_file={directory}/data"],
        ["-o", "data_file={directory}/data,data_file_raw=on"],
        ["--object", "secret,id=key,data=abc", "-o",
         "encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=200"],
    ],
    "qed": [[], ["-u", "-b", "{base}", "-F", "raw"]],
    "vdi": [[], ["-o", "static=on"]],
    "vhdx": [[], ["-o", "subformat=fixed"]],
    "vmdk": [
        *(["-o", f"subformat={each}"] for each in SPARSE + FLAT),
        *(["-u", "-b", "{parent}", "-F", "vmdk", "-o", f"subformat={each}"] for each in SPARSE),
    ],
    "vpc": [[], ["-o", "subformat=fixed"], ["-o", "subformat=fixed,force_size"],
            ["-o", "force_size"]],
}  # fmt: skip

HAND_MADE = {
    "vmdk": images.vmdk(),
    "vmdk, stream": images.vmdk(create_type="streamOptimized", footer_capacity=2048),
    "vmdk, parent's name": images.vmdk(lines='parentFileNameHint="secret.img"\n'),
    "vmdk, parent's CID": images.vmdk(parent_cid="00000001"),
    "vmdk, parent in a comment": images.vmdk(lines='#parentFileNameHint="secret.img"\n'),
    "vmdk, parent past the descriptor": images.vmdk(
        descriptor_sectors=1, beyond=b'parentFileNameHint="secret.img"\n'
    ),
    "vmdk, capacity 0": images.vmdk(
        capacity=0, create_type="monolithicFlat", extents='RW 8 FLAT "secret.img" 0\n'
    ),
    "vmdk, capacity 0, two createTypes": images.vmdk(
        capacity=0,
        lines='createType=_monolithicFlat"\n',
        extents='RW 8 FLAT "secret.img" 0\n',
    ),
    "vmdk, flat extent": images.vmdk(extents='RW 8 FLAT "secret.img" 0\n'),
    "vmdk, text": images.vmdk_descriptor(b"# Disk DescriptorFile\n"),
    "vmdk, text after nothing": images.vmdk_descriptor(),
    "vmdk, text after NUL": images.vmdk_descriptor(b"#\0\n", bytes(4096)),
    "vmdk, text after other bytes": images.vmdk_descriptor(b"#\xff\xfe\n"),
    "vmdk, text after blank lines": images.vmdk_descriptor(b"  \n  \r\n# x\n"),
    "vmdk, text of Windows": images.vmdk_descriptor(b"# x\r\n", end=b"\r\n"),
    "vmdk, text and other bytes": images.vmdk_descriptor(tail=b"\xff" * 4096),
    "vmdk, text and zeros": images.vmdk_descriptor(tail=bytes(1 << 16)),
    "vmdk, COWD": b"COWD" + images.vmdk()[4:],
    "vhd, fixed": bytes(images.MIB) + images.vhd_footer(2),
    "vhd, differencing": images.vhd_footer(4).ljust(1 << 16, b"\0"),
    "vhd, differencing by its footer": bytes(images.MIB) + images.vhd_footer(4),
    "vhd, of qcow2": images.qcow2().ljust(images.MIB, b"\0") + images.vhd_footer(2),
    "vdi": images.vdi(),
    "vdi, differencing": images.vdi(4),
    "vdi, linked": images.vdi(linked=b"\1" * 16),
    "vdi, parent": images.vdi(parent=b"\1" * 16),
    "qcow2": images.qcow2(),
    "qcow2, version 1": images.qcow2(version=1),
    "qcow2, version 2": images.qcow2(version=2),
    "qcow2, data file": images.qcow2(features=4),
    "qcow2, libvirt's magic": b"QFI\0" + images.qcow2()[4:],
    "luks": images.luks(),
    "luks 2": images.luks(version=2),
    "ploop": images.ploop(),
    "ploop, older": images.ploop(b"WithoutFreeSpace"),
    "bochs": images.bochs(),
    "cloop": images.CLOOP.ljust(65536, b"\0"),
    "html": b"<!DOCTYPE html>\n<html>\n",
    "tar": images.ova(("disk", bytes(600))),
}

MUTATIONS: dict[str, Callable[[bytes], bytes]] = {
    "a comment before": lambda data: b"# x\n" + data,
    "a comment of any bytes before": lambda data: b"#\0\xff\n" + data,
    "blank lines before": lambda data: b"   \n \r\n" + data,
    "a sector before": lambda data: bytes(512) + data,
    "a text descriptor before": lambda data: images.vmdk_descriptor().ljust(512, b"#") + data,
    "NUL after 600 bytes": lambda data: data[:600] + b"\0" + data[601:],
    "the head alone": lambda data: data[:512],
    "the head's half": lambda data: data[:256],
    "without its end": lambda data: data[:-512],
    "an MBR's mark": lambda data: data[:510] + b"\x55\xaa" + data[512:],
    "an ISO's mark": lambda data: data[:32768].ljust(32768, b"\0") + b"\1CD001\1" + data[32775:],
    "a fixed VHD's footer": lambda data: data + images.vhd_footer(2, len(data)),
    "a differencing VHD's footer": lambda data: data + images.vhd_footer(4, len(data)),
    "capital letters": lambda data: data[:512].upper() + data[512:],
    "Windows' line ends": lambda data: data[:512].replace(b"\n", b"\r\n") + data[512:],
}
FLIPPED = 25
"""Mutants of each image with some bytes changed at random, the same ones in each run."""
LARGEST = 8 << 20
"""Bytes of an image that gets mutants."""


@dataclass(frozen=True)
class Comparison:
    name: str
    mutation: str
    ours: str
    """The format that we found, or why we refuse."""
    accepted: bool
    size: int
    """Bytes of the disk, to us."""
    qemu: str
    """The format that qemu-img found, or that it gave up."""
    qemu_size: int
    others: list[str]
    """The other files that qemu-img found in it."""

    @property
    def holds(self) -> bool:
        """Whether we refuse the image, or are of one mind with qemu-img."""
        if not self.accepted or self.qemu == "unreadable":
            return True
        probed_as = PROBED_AS.get(self.ours, {self.ours})
        size = self.size + 512 if (self.ours, self.qemu) == ("vhd", "raw") else self.size
        same_size = abs(size - self.qemu_size) < 512  # qemu counts whole sectors
        return self.qemu in probed_as and same_size and not self.others


def created(directory: Path, encrypted: bool) -> Iterator[tuple[str, Path]]:
    """What qemu-img creates; it takes seconds for each that is encrypted."""
    program = needs_program("qemu-img")
    places = {"directory": directory, "base": directory / "base", "parent": directory / "parent"}
    subprocess.run([program, "create", "-q", places["base"], "1M"], check=True)
    subprocess.run([program, "create", "-q", "-f", "vmdk", places["parent"], "1M"], check=True)
    wanted = [[name, *options] for name, each in CREATED.items() for options in each]
    for number, words in enumerate(wanted):
        if encrypted or "--object" not in words:
            path = directory / f"created-{number}"
            command = [program, "create", "-q", "-f", *(word.format(**places) for word in words)]
            subprocess.run([*command, path, "1M"], check=True, capture_output=True)
            yield " ".join(["create -f", *words]), path


def hand_made(directory: Path) -> Iterator[tuple[str, Path]]:
    for number, (name, data) in enumerate(HAND_MADE.items()):
        path = directory / f"made-{number}"
        path.write_bytes(data)
        yield name, path


def comparisons(directory: Path, mutants: bool) -> Iterator[Comparison]:
    (directory / "secret.img").write_bytes(b"secret".ljust(1 << 16, b"."))
    flip = partial(images.flipped, choice=random.Random(11))
    mutations = MUTATIONS | {f"bytes flipped, {number}": flip for number in range(FLIPPED)}
    for name, path in [*created(directory, encrypted=mutants), *hand_made(directory)]:
        yield compare(name, "", path)
        if mutants and path.stat().st_size <= LARGEST:
            data = path.read_bytes()
            for mutation, mutate in mutations.items():
                mutant = directory / "mutant"
                mutant.write_bytes(mutate(data))
                yield compare(name, mutation, mutant)


def compare(name: str, mutation: str, path: Path) -> Comparison:
    from django_image_tasks.exceptions import TaskFailed
    from django_image_tasks.handlers.image_import.inspection import inspect

    try:
        found = inspect(path, lambda: None)
        ours, accepted, size = found.disk_format, True, found.virtual_size
    except TaskFailed as error:
        ours, accepted, size = str(error), False, 0
    return Comparison(name, mutation, ours, accepted, size, *seen_by_qemu(path))


def seen_by_qemu(path: Path) -> tuple[str, int, list[str]]:
    command = [needs_program("qemu-img"), "info", "--output=json", str(path)]
    done = subprocess.run(command, capture_output=True)
    if done.returncode:
        return "unreadable", 0, []
    info = json.loads(done.stdout)
    return info["format"], info["virtual-size"], sorted(set(_files(info)) - {str(path)})


def _files(value: Any, key: str = "") -> Iterator[str]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _files(inner, key)
        case list():
            for inner in value:
                yield from _files(inner, key)
        case str() if key in {"filename", "backing-filename", "full-backing-filename", "data-file"}:
            yield value


def table(found: list[Comparison], directory: Path) -> Iterator[str]:
    yield "| image | we say | qemu-img says | other files in it | mutants | of them accepted |"
    yield "|---|---|---|---|---:|---:|"
    for name, group in groupby(found, lambda each: each.name):
        first, *mutants = group
        cells = [
            f"`{name}`",
            f"**{first.ours}**" if first.accepted else first.ours.replace("|", ""),
            first.qemu,
            ", ".join(first.others),
            str(len(mutants)),
            str(sum(each.accepted for each in mutants)),
        ]
        yield f"| {' | '.join(cells)} |".replace(f"{directory}/", "")


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    logging.disable(logging.CRITICAL)
    with TemporaryDirectory() as directory:
        found = list(comparisons(Path(directory), mutants=True))
        print("\n".join(table(found, Path(directory))))
    contradictions = [each for each in found if not each.holds]
    accepted = [each for each in found if each.accepted]
    refused = [each for each in found if not each.accepted and each.others]
    print(
        f"\n{len(found)} images: {len(accepted)} accepted, "
        f"{sum(each.qemu == 'unreadable' for each in accepted)} of them unreadable to qemu-img; "
        f"{len(refused)} refused in which qemu-img finds another file; "
        f"{len(contradictions)} contradictions."
    )
    sys.exit("\n".join(map(str, contradictions)) or 0)


if __name__ == "__main__":
    main()
