"""Who may have an account: people who were invited. Nobody signs up by themselves."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class InvitedOnlyAdapter(DefaultAccountAdapter):
    """Sign-up is closed, and no answer tells a stranger whether an address has an account."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": (
            "This e-mail address and password do not belong together. Check both, or reset the password."
        ),
        "incorrect_password": "This is not your current password.",
        "too_many_login_attempts": "Too many attempts. Wait five minutes, then try again, or reset the password.",
        "rate_limited": "Too many attempts. Wait a minute, then try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def format_email_subject(self, subject: str) -> str:
        """As it is written: the sender's name says where it comes from."""
        return subject

    def add_message(self, request: HttpRequest, level: int, *args: Any, **kwargs: Any) -> None:
        """Say nothing about signing in and out: the next page shows it."""
        template = str(kwargs.get("message_template") or (args[0] if args else ""))
        if template.endswith(("logged_in.txt", "logged_out.txt")):
            return
        super().add_message(request, level, *args, **kwargs)
