"""What the process refuses, and why. The API turns each into a problem document, pages into a sentence."""

from typing import Any


class ProcessError(Exception):
    """A refusal by the rules of the process. `code` is its literal name in the API, `details` its extra fields."""

    code = "process"
    title = "The process does not allow this"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class Invalid(ProcessError):
    """What was given cannot be right. `errors` maps each field to its sentences."""

    code = "invalid"
    title = "Something in the input is not right"

    def __init__(self, message: str = "", /, **errors: str | list[str]) -> None:
        listed = {field: [text] if isinstance(text, str) else list(text) for field, text in errors.items()}
        super().__init__(message or " ".join(text for texts in listed.values() for text in texts))
        self.errors = listed


class WrongStage(ProcessError):
    code = "wrong_stage"
    title = "Not possible in this stage"


class StepsOutstanding(ProcessError):
    """The gate is closed. `details["steps"]` names the missing steps by key."""

    code = "steps_outstanding"
    title = "Steps are outstanding"


class ClockOrder(ProcessError):
    code = "clock_order"
    title = "The clocks would be out of order"


class OpenDowntime(ProcessError):
    code = "open_downtime"
    title = "A service is still down"


class Duplicate(ProcessError):
    code = "duplicate"
    title = "This exists already"


class InUse(ProcessError):
    """Other records refer to it, so it cannot be deleted; the message says what to do instead."""

    code = "conflict"
    title = "In conflict with what is there"


class TooLate(ProcessError):
    """It could be done until a moment that has passed; the message says what to do instead."""

    code = "too_late"
    title = "Too late for this"


class Stale(ProcessError):
    """Somebody else changed the record in between (If-Match)."""

    code = "stale"
    title = "Somebody changed this in the meantime"


class NotAccountable(ProcessError):
    """Somebody without the letter tried a guarded act. `details["who_may"]` lists who may, by e-mail."""

    code = "not_allowed"
    title = "Not allowed"
