"""The project's own type of task, which makes a picture smaller, and the view that asks for it."""

from uuid import uuid4

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.files import File
from django.core.files.storage import default_storage
from django.shortcuts import redirect, render

from django_image_tasks.exceptions import TaskFailed
from django_image_tasks.handlers.base import Handler
from django_image_tasks.services import create_task


class Thumbnail(Handler):
    """Makes a thumbnail of a picture that somebody has uploaded."""

    type = "thumbnail"
    title = "Make a thumbnail"
    input_schema = {
        "type": "object",
        "properties": {
            # A name that nobody can guess: whoever knows it has uploaded the picture.
            "picture": {"type": "string", "pattern": "^pictures/[0-9a-f-]{36}$"},
            "width": {"type": "integer", "minimum": 16, "maximum": 2048},
        },
        "required": ["picture", "width"],
        "additionalProperties": False,
    }

    def run(self, context):
        from PIL import Image  # where it is used alone: a server need not load it

        path, width = context.scratch / "thumbnail.png", context.input["width"]
        try:
            with default_storage.open(context.input["picture"]) as file, Image.open(file) as image:
                context.progress(1, 3)
                image.draft("RGB", (width, width))  # a JPEG is read no larger than it has to be
                image.thumbnail((width, width))
                context.progress(2, 3)
                image.save(path, "PNG")
        except FileNotFoundError:
            raise TaskFailed("The picture is gone") from None
        except (Image.DecompressionBombError, OSError) as error:  # what is no picture is an OSError
            raise TaskFailed(f"The picture cannot be read: {type(error).__name__}") from error
        context.check()
        with path.open("rb") as file:
            location = default_storage.save(_name(context.task_id, context.attempt), File(file))
        context.progress(3, 3)
        size = path.stat().st_size
        return {"artifacts": [{"name": "thumbnail.png", "size": size, "location": location}]}

    def discard(self, task_id, attempt, input):
        default_storage.delete(_name(task_id, attempt))


def _name(task_id, attempt):
    return f"thumbnails/{task_id}-{attempt}.png"


class PictureForm(forms.Form):
    picture = forms.ImageField()
    width = forms.IntegerField(min_value=16, max_value=2048, initial=200)


@login_required
def thumbnails(request):
    form = PictureForm(request.POST or None, request.FILES or None)
    if not form.is_valid():
        return render(request, "example_project/thumbnails.html", {"form": form})
    picture = form.cleaned_data["picture"]
    task = create_task(
        "thumbnail",
        {
            "picture": default_storage.save(f"pictures/{uuid4()}", picture),
            "width": form.cleaned_data["width"],
        },
        owner=str(request.user.pk),
        user_id=str(request.user.pk),
        name=picture.name[:255],
    )
    return redirect("image_tasks:task-detail", pk=task.pk)
