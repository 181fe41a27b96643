"""The example project's own type of task, from the form to the file."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from django_image_tasks.models import Task
from django_image_tasks.services import create_task, retry_task
from example_project.settings import IMAGE_TASKS
from tests.requirements import needs

PICTURE = "pictures/11111111-2222-3333-4444-555555555555"


@pytest.fixture(autouse=True)
def project(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.IMAGE_TASKS = {
        "ENGINE": "django_image_tasks.engines.immediate",
        "HANDLERS": IMAGE_TASKS["HANDLERS"],
        "SCRATCH_DIR": tmp_path / "scratch",
    }


@pytest.fixture
def picture() -> bytes:
    image = needs("PIL.Image")
    file = BytesIO()
    image.new("RGB", (400, 200), "teal").save(file, "JPEG")
    return file.getvalue()


def asked_for(client: Client, content: bytes, capture: Any) -> Task:
    file = SimpleUploadedFile("teal.jpg", content, "image/jpeg")
    with capture(execute=True):
        answer = client.post("/thumbnails", {"picture": file, "width": 100})
    assert answer.status_code == 302
    task = Task.objects.get()
    assert answer.headers["Location"] == f"/v2/tasks/{task.pk}"
    return task


def test_a_picture_is_made_smaller(
    admin_client: Client, picture: bytes, django_capture_on_commit_callbacks: Any
) -> None:
    task = asked_for(admin_client, picture, django_capture_on_commit_callbacks)
    assert (task.status, task.name, task.progress) == ("success", "teal.jpg", 100)
    [artifact] = task.result["artifacts"]
    with default_storage.open(artifact["location"]) as file:
        assert needs("PIL.Image").open(file).size == (100, 50)
    page = admin_client.get(f"/v2/tasks/{task.pk}", headers={"accept": "text/html"})
    assert f'<a href="/media/{artifact["location"]}">thumbnail.png</a>' in page.content.decode()


def test_what_is_no_picture_is_refused_in_the_form(admin_client: Client) -> None:
    needs("PIL")
    file = SimpleUploadedFile("teal.jpg", b"no picture", "image/jpeg")
    answer = admin_client.post("/thumbnails", {"picture": file, "width": 100})
    assert "not an image" in answer.content.decode()
    assert not Task.objects.exists()


def test_a_stranger_has_to_log_in(client: Client) -> None:
    assert client.get("/thumbnails").headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "The picture is gone"), (b"x", "The picture cannot be read: UnidentifiedImageError")],
)
def test_it_fails_in_words_and_leaves_nothing(
    db: None, content: bytes | None, message: str, django_capture_on_commit_callbacks: Any
) -> None:
    needs("PIL")
    if content:
        default_storage.save(PICTURE, ContentFile(content))
    with django_capture_on_commit_callbacks(execute=True):
        task = create_task("thumbnail", {"picture": PICTURE, "width": 100}, owner="1")
    task.refresh_from_db()
    assert (task.status, task.message) == ("failure", message)
    assert not default_storage.exists("thumbnails")


def test_a_failed_one_may_be_retried(
    db: None, picture: bytes, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        task = create_task("thumbnail", {"picture": PICTURE, "width": 100}, owner="1")
    task.refresh_from_db()
    default_storage.save(PICTURE, ContentFile(picture))
    with django_capture_on_commit_callbacks(execute=True):
        again = retry_task(task)
    again.refresh_from_db()
    assert again.status == "success"
