"""Path parts. What does not look like one is no address at all, so it never reaches the database."""

from django.urls import register_converter


class _Number:
    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: object) -> str:
        return str(value)


class _Reference(_Number):
    """A reference in the path, its number in the view."""

    prefix = ""

    def to_python(self, value: str) -> int:
        return int(value.rpartition("-")[2])

    def to_url(self, value: object) -> str:
        return str(value) if "-" in str(value) else f"{self.prefix}-{value}"


def _reference(prefix: str) -> type[_Reference]:
    either_case = "".join(f"[{letter}{letter.lower()}]" for letter in prefix)
    return type(f"{prefix}Reference", (_Reference,), {"prefix": prefix, "regex": either_case + "-[0-9]{1,18}"})


class _Email:
    regex = r"[^/\s\x00@]+@[^/\s\x00@]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


REFERENCES = {"ticket": "INC", "incident": "MI", "candidate": "CAN", "problem": "PRB", "change": "CHG"}


def register() -> None:
    register_converter(_Number, "number")
    register_converter(_Email, "email")
    for name, prefix in REFERENCES.items():
        register_converter(_reference(prefix), name)
