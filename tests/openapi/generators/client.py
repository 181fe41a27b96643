"""Follows two tasks with the client that openapi-python-client has made, ``image_tasks``."""

import sys
import time
from uuid import uuid4

from image_tasks import AuthenticatedClient
from image_tasks.api.image_tasks import cancel_task, create_task, list_tasks, show_task
from image_tasks.models import (
    ImageErrorItemNotFound,
    ImageTask,
    ImageTaskStatus,
    ImageTaskSummaryList,
    NewImageTaskImport,
    NewImageTaskImportInput,
)

root, token = sys.argv[1:]
client = AuthenticatedClient(
    root, token, prefix="", auth_header_name="X-Auth-Token", raise_on_unexpected_status=True
)


def create(name: str) -> ImageTask:
    source = NewImageTaskImportInput(import_from=f"{root}/demo.qcow2")
    body = NewImageTaskImport(type_="import", input_=source, name=name)
    task = create_task.sync(client=client, body=body)
    assert isinstance(task, ImageTask), task
    return task


def wait(task: ImageTask) -> ImageTask:
    while True:
        answer = show_task.sync_detailed(task.id, client=client)
        assert isinstance(answer.parsed, ImageTask), answer
        if answer.parsed.status in (ImageTaskStatus.SUCCESS, ImageTaskStatus.FAILURE):
            return answer.parsed
        time.sleep(float(answer.headers["Retry-After"]))


first, second = create("python 1"), create("python 2")
page = list_tasks.sync(client=client, name=["python 1", "python 2"], sort=["name:asc"])
assert isinstance(page, ImageTaskSummaryList), page
assert [task.id for task in page.tasks] == [first.id, second.id]

cancelled = cancel_task.sync(second.id, client=client)
assert isinstance(cancelled, ImageTask), cancelled
assert wait(cancelled).message == "Cancelled by demo"

done = wait(first)
assert done.result is not None, done
assert done.result["disk_format"] == "qcow2", done
assert isinstance(show_task.sync(uuid4(), client=client), ImageErrorItemNotFound)
