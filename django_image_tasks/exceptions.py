"""What can go wrong in the domain. The wire decides which status code that is."""

__all__ = [
    "DeadlineExceeded",
    "ImageTasksError",
    "InputTooLarge",
    "InvalidInput",
    "InvalidTransition",
    "LeaseLost",
    "ScratchFailed",
    "TaskCancelled",
    "TaskFailed",
    "TaskInterrupted",
    "TaskRetry",
    "UnknownTaskType",
]


class ImageTasksError(Exception):
    """Base of every error that this app raises on purpose; its text is meant for people."""


class InvalidInput(ImageTasksError):
    """A task's input is not what its handler accepts. The text becomes the body of a 400."""


class InputTooLarge(InvalidInput):
    """A task's input is larger than a setting allows. The text becomes the body of a 413."""


class UnknownTaskType(ImageTasksError):
    """No handler runs tasks of this type."""


class TookTooLong(ImageTasksError):
    """The database did not answer within the time that a setting gives it."""

    def __init__(self) -> None:
        super().__init__(
            "The database took too long. Ask for fewer tasks, or sort them by what the query "
            "compares."
        )


class InvalidTransition(ImageTasksError):
    """The task is in a state that this verb does not start from; nothing was written."""


class TaskFailed(ImageTasksError):
    """The attempt failed and another one would fail too: the task ends in ``failure``."""


class TaskRetry(ImageTasksError):
    """The attempt failed on something that may mend (network, storage): try again later."""


class ScratchFailed(TaskRetry):
    """The worker's disk failed: full, locked, gone, or not to be trusted with files."""

    def __init__(self, error: OSError) -> None:
        reason = error.strerror or type(error).__name__
        super().__init__(f"The scratch directory failed: {reason}")


class TaskInterrupted(ImageTasksError):
    """The attempt must stop now. Raised inside a handler by its context; let it pass."""


class TaskCancelled(TaskInterrupted):
    """Somebody asked to cancel the task."""


class DeadlineExceeded(TaskInterrupted):
    """The task has run for longer than it may."""


class LeaseLost(TaskInterrupted):
    """Another worker owns the task by now: whatever this attempt does is void."""
