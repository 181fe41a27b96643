"""The ``import`` handler from input to result."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid5

import pytest
from jsonschema import Draft202012Validator

from django_image_tasks import executor
from django_image_tasks.exceptions import (
    AttemptFailed,
    InvalidInput,
    LeaseLost,
    TaskFailed,
    TaskInterrupted,
)
from django_image_tasks.handlers.image_import import ImageImport
from django_image_tasks.handlers.registry import get_handler
from django_image_tasks.models import Task
from django_image_tasks.signals import image_imported
from django_image_tasks.states import Status
from tests.docs import http_page
from tests.handlers import images
from tests.handlers.fakes import FakeContext, SourceServer, answer
from tests.requirements import needs, needs_program

IMAGE_ID = "aaaaaaaa-0000-4000-8000-00000000000a"
SHA256 = hashlib.sha256(b"an image").hexdigest()


# Its input


def accepts(input: object) -> bool:
    return Draft202012Validator(ImageImport.input_schema).is_valid(input)


def test_schema_is_one() -> None:
    Draft202012Validator.check_schema(ImageImport.input_schema)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"import_from_format": "qcow2"},
        {"image_properties": {}},
        {"image_properties": {"name": "cirros", "disk_format": "raw", "os_distro": "cirros"}},
        {"image_id": IMAGE_ID},
        {"image_id": IMAGE_ID.upper()},
        {"image_id": IMAGE_ID.replace("-", "")},
        {"checksum": {"algorithm": "sha256", "value": SHA256}},
    ],
)
def test_accepted_input(more: dict[str, Any]) -> None:
    assert accepts({"import_from": "https://images.example.org/a", **more})


@pytest.mark.parametrize(
    "input",
    [
        {},
        [],
        {"import_from": None},
        {"import_from": 7},
        {"import_from": "https://images.example.org/" + "a" * 2048},
        {"import_from": "https://images.example.org/a", "extra": 1},
        {"import_from": "https://images.example.org/a", "import_from_format": 1},
        {"import_from": "https://images.example.org/a", "image_properties": []},
        {"import_from": "https://images.example.org/a", "image_properties": {"name": None}},
        {"import_from": "https://images.example.org/a", "image_id": "7"},
        {"import_from": "https://images.example.org/a", "image_id": IMAGE_ID.replace("-", "", 1)},
        {"import_from": "https://images.example.org/a", "checksum": {"algorithm": "md5"}},
        {
            "import_from": "https://images.example.org/a",
            "checksum": {"algorithm": "crc32", "value": "00"},
        },
        {
            "import_from": "https://images.example.org/a",
            "checksum": {"algorithm": "md5", "value": "g" * 32},
        },
    ],
)
def test_refused_input(input: object) -> None:
    assert not accepts(input)


def test_validate_applies_the_policy() -> None:
    ImageImport().validate({"import_from": "https://images.example.org/a"})
    with pytest.raises(InvalidInput, match=r"^URI for legacy import task does not pass filtering"):
        ImageImport().validate({"import_from": "https://127.0.0.1/a"})


def test_checksum_of_another_algorithms_length() -> None:
    checksum = {"algorithm": "sha512", "value": SHA256}
    with pytest.raises(InvalidInput) as caught:
        ImageImport().validate({"import_from": "https://example.org/a", "checksum": checksum})
    assert str(caught.value) == "The given checksum is not one of sha512."


# Its run


@pytest.fixture
def run(server: SourceServer, tmp_path: Path, storage_root: Path) -> Callable[..., dict[str, Any]]:
    needs("requests_hardened")
    needs("oslo_utils")

    def run(content: bytes, attempt: int = 1, **input: Any) -> dict[str, Any]:
        server.answers = [answer(content)]
        scratch = tmp_path / f"scratch-{attempt}"
        scratch.mkdir()
        context = FakeContext(scratch, {"import_from": server.url(), **input}, attempt)
        return dict(get_handler("import").run(context))

    return run


Run = Callable[..., dict[str, Any]]


def files(root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]


def test_result(run: Run, storage_root: Path) -> None:
    image_id = str(uuid5(FakeContext.task_id, "image"))
    result = run(b"an image", image_properties={"name": "cirros", "os_distro": "cirros"})
    assert result == {
        "image_id": image_id,
        "name": "cirros",
        "location": f"images/{image_id}/{FakeContext.task_id}-1",
        "size": 8,
        "virtual_size": 8,
        "disk_format": "raw",
        "container_format": "bare",
        "checksum": hashlib.md5(b"an image").hexdigest(),
        "os_hash_algo": "sha512",
        "os_hash_value": hashlib.sha512(b"an image").hexdigest(),
    }
    assert (storage_root / result["location"]).read_bytes() == b"an image"


def test_the_reference_has_every_key_of_the_result(run: Run, storage_root: Path) -> None:
    keys = http_page.rows(http_page.section("### The result of an import"))
    assert http_page.code(row[0] for row in keys) == list(run(b"an image"))


def test_image_id_of_the_input(run: Run) -> None:
    result = run(b"an image", image_id=IMAGE_ID.replace("-", "").upper())
    assert result["image_id"] == IMAGE_ID
    assert result["location"] == f"images/{IMAGE_ID}/{FakeContext.task_id}-1"


def test_next_attempt_has_the_same_image_and_replaces_the_object(
    run: Run, storage_root: Path
) -> None:
    first, second = run(b"an image"), run(b"an image", attempt=2)
    assert second["image_id"] == first["image_id"]
    assert files(storage_root) == [second["location"]]


def test_discarded_attempt_leaves_nothing(run: Run, storage_root: Path) -> None:
    run(b"an image")
    ImageImport().discard(FakeContext.task_id, 1, {"import_from": "https://example.org/"})
    assert files(storage_root) == []


@pytest.mark.parametrize(
    ("algorithm", "value"),
    [("sha256", SHA256.upper()), ("sha1", hashlib.sha1(b"an image").hexdigest())],
)
def test_checksum_that_matches(run: Run, algorithm: str, value: str) -> None:
    assert run(b"an image", checksum={"algorithm": algorithm, "value": value})["size"] == 8


def test_checksum_that_does_not_match(run: Run, storage_root: Path) -> None:
    expected = "0" * 64
    with pytest.raises(TaskFailed) as caught:
        run(b"an image", checksum={"algorithm": "sha256", "value": expected})
    assert str(caught.value) == f"Checksum mismatch: expected {expected}, got {SHA256}"
    assert files(storage_root) == []


def qemu_image(tmp_path: Path, format: str) -> bytes:
    path = tmp_path / "made"
    command = [needs_program("qemu-img"), "create", "-q", "-f", format, str(path), "1M"]
    subprocess.run(command, check=True, capture_output=True)
    return path.read_bytes()


@pytest.mark.parametrize(
    "declared",
    [
        {"import_from_format": "qcow2"},
        {"image_properties": {"disk_format": "qcow2"}},
        {"import_from_format": "vmdk", "image_properties": {"disk_format": "qcow2"}},
    ],
)
def test_declared_format_is_another(
    run: Run, tmp_path: Path, storage_root: Path, declared: dict[str, Any]
) -> None:
    with pytest.raises(TaskFailed) as caught:
        run(qemu_image(tmp_path, "vmdk"), **declared)
    assert str(caught.value) == "Declared qcow2, found vmdk"
    assert files(storage_root) == []


@pytest.mark.parametrize(
    ("made", "declared", "result"),
    [
        ("qcow2", "qcow2", "qcow2"),
        ("qcow2", " QCOW2\n", "qcow2"),
        ("vpc", "vhd", "vhd"),
        ("vpc", "vpc", "vhd"),
        ("raw", "raw", "raw"),
        ("raw", "gpt", "raw"),
        ("raw", "ami", "ami"),
    ],
)
def test_declared_format_is_the_one_found(
    run: Run, tmp_path: Path, made: str, declared: str, result: str
) -> None:
    image = qemu_image(tmp_path, made)
    found = run(image, import_from_format=declared, image_properties={"disk_format": declared})
    assert found["disk_format"] == result
    assert {type(value) for value in found.values()} == {str, int}


GZIP = gzip.compress(b"a kernel", mtime=0)


@pytest.mark.parametrize("name", ["aki", "ARI", "ami"])
@pytest.mark.parametrize("content", [GZIP, b"\x7fELF\2\1\1" + bytes(600)])
def test_kernel_is_what_kernels_are(run: Run, name: str, content: bytes) -> None:
    assert run(content, import_from_format=name)["disk_format"] == name.lower()
    assert run(content, attempt=2, image_properties={"disk_format": name})["size"] == len(content)


@pytest.mark.parametrize(
    "declared",
    [
        {"import_from_format": "raw"},
        {"import_from_format": "aki", "image_properties": {"disk_format": "raw"}},
        {"image_properties": {"disk_format": "raw", "container_format": "ova"}},
    ],
)
def test_gzip_that_is_no_kernel(run: Run, storage_root: Path, declared: dict[str, Any]) -> None:
    with pytest.raises(TaskFailed) as caught:
        run(GZIP, **declared)
    refused = "Source answered a gzip file, not an image: uncompress it first"
    assert str(caught.value) == refused
    assert files(storage_root) == []


def test_ova_of_a_vmdk(run: Run) -> None:
    properties = {"disk_format": "vmdk", "container_format": "ova"}
    result = run(images.ova(("disk.vmdk", images.vmdk())), image_properties=properties)
    assert (result["disk_format"], result["container_format"]) == ("vmdk", "ova")
    assert result["virtual_size"] == 2**20


@pytest.mark.parametrize("declared", [{}, {"import_from_format": "vhd"}])
def test_fixed_vhd(run: Run, declared: dict[str, Any]) -> None:
    result = run(bytes(2**20) + images.vhd_footer(2), **declared)
    assert (result["disk_format"], result["virtual_size"]) == ("vhd", 2**20)


def test_ploop_that_is_none(run: Run) -> None:
    assert run(images.ploop(), import_from_format="ploop")["disk_format"] == "ploop"
    with pytest.raises(TaskFailed, match=r"^Declared ploop, found raw$"):
        run(bytes(600), attempt=2, import_from_format="ploop")


def test_lost_lease_is_noticed_before_the_save(
    run: Run, storage_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(self: FakeContext) -> None:
        raise LeaseLost("Another worker owns the task")

    monkeypatch.setattr(FakeContext, "check", check)
    with pytest.raises(TaskInterrupted):
        run(b"an image")
    assert files(storage_root) == []


def test_image_that_can_no_longer_be_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def progress(self: FakeContext, done: int, total: int | None = None) -> None:
        if done == total:
            (self.scratch / "image-1").unlink(missing_ok=True)

    monkeypatch.setattr(FakeContext, "progress", progress)
    with pytest.raises(AttemptFailed) as caught:
        run(b"an image")
    assert str(caught.value) == "The scratch directory failed: No such file or directory"


def test_source_that_is_allowed_no_more(
    run: Run, server: SourceServer, configure: Callable[..., None]
) -> None:
    configure(IMPORT_TRUSTED_HOSTS=[])
    with pytest.raises(TaskFailed) as caught:
        run(b"an image", import_from=server.url("/image?signature=secret"))
    assert str(caught.value) == f"http://{server.origin} is not allowed"


def test_success_hands_task_and_result_to_the_host(
    make_task: Callable[..., Task],
    server: SourceServer,
    storage_root: Path,
    configure: Callable[..., None],
    tmp_path: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:
    needs("requests_hardened")
    needs("oslo_utils")
    configure(SCRATCH_DIR=tmp_path / "scratch")
    server.answers = [answer(b"an image")]
    task = make_task("import", input={"import_from": server.url()})
    heard: list[object] = []

    def hear(task: Task, result: Mapping[str, Any], **kwargs: object) -> None:
        heard.append((task.pk, task.status, result))

    image_imported.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            executor.run(task.pk)
    finally:
        image_imported.disconnect(hear)
    task.refresh_from_db()
    assert heard == [(task.pk, Status.SUCCESS, task.result)]


WITHOUT_THE_EXTRA = """
import sys
sys.modules["requests_hardened"] = None
from django.conf import settings
settings.configure()
from django_image_tasks.exceptions import TaskFailed
from django_image_tasks.handlers.registry import get_handler
handler = get_handler("import")
handler.validate({"import_from": "https://images.example.org/"})
try:
    handler.run(None)
except TaskFailed as error:
    print(error)
"""


def test_without_the_extra_tasks_are_created_and_fail_with_its_name() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_EXTRA], capture_output=True, text=True, check=True
    )
    assert done.stdout == ("requests_hardened is missing: the worker needs the extra 'import'\n")
