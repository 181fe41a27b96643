"""The errors that this app raises on purpose. Which status code they are is said elsewhere."""

from datetime import timedelta

__all__ = [
    "AttemptFailed",
    "DeadlineExceeded",
    "HandedOver",
    "ImageTasksError",
    "InputTooLarge",
    "InvalidInput",
    "InvalidTransition",
    "KeyInUse",
    "KeyReused",
    "LeaseLost",
    "NotMigrated",
    "ScratchFailed",
    "TaskCancelled",
    "TaskFailed",
    "TaskInterrupted",
    "TooManyWaiting",
    "UnknownTaskType",
]


class ImageTasksError(Exception):
    """Base of every error that this app raises on purpose; its text is meant for people."""


class InvalidInput(ImageTasksError):
    """What a client sent is not acceptable. The text becomes the message of a 400."""


class InputTooLarge(InvalidInput):
    """A task's input is larger than ``MAX_INPUT_SIZE``. The text becomes the message of a 413."""


class TooManyWaiting(InvalidInput):
    """The owner has as many waiting tasks as they may. The text becomes the message of a 429."""


class LengthRequired(ImageTasksError):
    """The server hides a body that was sent without its length. The API answers 411."""

    def __init__(self) -> None:
        super().__init__("Content-Length is required.")


class KeyInUse(ImageTasksError):
    """A request with this ``Idempotency-Key`` has not been seen to end. The API answers 503."""

    def __init__(self) -> None:
        super().__init__("A request with this Idempotency-Key is being processed. Try again.")


class KeyReused(ImageTasksError):
    """A request with this ``Idempotency-Key`` asked for another task. The API answers 422."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used with another body.")


class NotMigrated(ImageTasksError):
    """The database lacks a table or a column, for ``migrate`` was not run."""


class UnknownTaskType(ImageTasksError):
    """No handler runs tasks of this type."""


class TookTooLong(ImageTasksError):
    """The database needed more than ``LIST_TIMEOUT`` for a list. The API answers 503."""

    def __init__(self) -> None:
        super().__init__(
            "The database took too long. Ask for fewer tasks, or sort them by what the query "
            "compares."
        )


class InvalidTransition(ImageTasksError):
    """The task is in a state that this verb does not start from; nothing was written."""


class TaskFailed(ImageTasksError):
    """The attempt failed, and another one would fail too. The task ends in ``failure``."""


class AttemptFailed(ImageTasksError):
    """The attempt failed on what may mend (network, storage). Another one may succeed.

    It starts ``after`` this time at the earliest, if that is longer than the usual wait.
    """

    def __init__(self, message: str = "", after: timedelta | None = None) -> None:
        super().__init__(message)
        self.after = after


class ScratchFailed(AttemptFailed):
    """The worker's disk failed. It is full, locked, gone, or open to other users."""

    def __init__(self, error: OSError) -> None:
        reason = error.strerror or type(error).__name__
        super().__init__(f"The scratch directory failed: {reason}")


class TaskInterrupted(ImageTasksError):
    """The attempt must stop now. The context raises it inside a handler, which lets it pass."""


class TaskCancelled(TaskInterrupted):
    """Somebody asked to cancel the task."""


class DeadlineExceeded(TaskInterrupted):
    """The attempt has run for longer than ``TASK_TIMEOUT``."""


class HandedOver(TaskInterrupted):
    """The worker was told to stop, and another one takes the task over at once."""


class LeaseLost(TaskInterrupted):
    """Another worker has taken the task over. Whatever this attempt does no longer counts."""
