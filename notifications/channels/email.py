"""E-mail over SMTP. The server's 250 after the message is the evidence that somebody was told."""

import smtplib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend
from django.core.mail.message import BadHeaderError
from django.utils.html import format_html

from incidents.process import Audience
from notifications.channels import Outcome, Outgoing
from notifications.models import ChannelKey
from notifications.status.subscribers import end_url

SECONDS_PER_COMMAND = 5
_CANNOT_REACH = "The mail server cannot be reached"


class EmailChannel:
    key = ChannelKey.EMAIL.value
    batch = 20
    one_at_a_time = True

    def send(self, wanted: Iterable[Outgoing]) -> Iterator[list[tuple[Outgoing, Outcome]]]:
        """One message after the other over one kept connection, opened again when the server hangs up."""
        backend = EmailBackend(timeout=min(settings.EMAIL_TIMEOUT or SECONDS_PER_COMMAND, SECONDS_PER_COMMAND))
        unreachable = ""
        try:
            for one in wanted:
                outcome = Outcome(False, unreachable) if unreachable else _try(backend, one)
                if outcome.answer.startswith(_CANNOT_REACH):
                    unreachable = outcome.answer  # the rest of the batch waits with it, without a time-out each
                yield [(one, outcome)]
        finally:
            with suppress(OSError, smtplib.SMTPException):
                backend.close()


def _try(backend: EmailBackend, one: Outgoing) -> Outcome:
    try:
        raw = compose(one).message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
    except (BadHeaderError, ValueError) as error:
        return Outcome(False, f"The message cannot be sent to this address: {error}", is_final=True)
    try:
        return _hand_over(backend, _connected(backend), one.delivery.address, raw)
    except ValueError as error:
        _hang_up(backend)
        return Outcome(False, f"The address cannot be used: {error}", is_final=True)
    except smtplib.SMTPDataError as error:
        return Outcome(False, _in_words(error), is_final=error.smtp_code >= 500)
    except (OSError, smtplib.SMTPException) as error:
        _hang_up(backend)
        return Outcome(False, f"{_CANNOT_REACH}: {_in_words(error)}")


def _connected(backend: EmailBackend) -> smtplib.SMTP:
    """The kept connection, opened when there is none."""
    if backend.connection is None:
        backend.open()
    connection = backend.connection
    if connection is None:
        raise smtplib.SMTPServerDisconnected("no connection")
    connection.ehlo_or_helo_if_needed()
    return connection


def _hand_over(backend: EmailBackend, connection: smtplib.SMTP, address: str, raw: bytes) -> Outcome:
    """The SMTP dialogue for one message, so that the server's own answers are kept."""
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    commands: tuple[tuple[str, Callable[[], tuple[int, bytes]]], ...] = (
        ("sender", lambda: connection.mail(sender)),
        ("recipient", lambda: connection.rcpt(address)),
        ("message", lambda: connection.data(raw)),
    )
    for name, command in commands:
        code, answer = command()
        said = f"{code} {answer.decode(errors='replace')}"[:500]
        if code >= 400:
            if code == 421:
                _hang_up(backend)
            else:
                with suppress(smtplib.SMTPServerDisconnected):
                    connection.rset()
            # A refused sender is a fault of the installation, not of this address: it is tried again.
            return Outcome(False, said, is_final=code >= 500 and name != "sender")
    return Outcome(True, said)


def compose(one: Outgoing) -> EmailMultiAlternatives:
    """Plain text with an HTML alternative; marked as automatic so that nobody's absence note answers it."""
    delivery, message = one.delivery, one.message
    headers = {
        "Message-ID": delivery.message_id,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "X-MIM-Loop": delivery.message_id.strip("<>").partition("@")[2],
    }
    if delivery.incident_id:
        thread = f"<MI-{delivery.incident_id}@{delivery.message_id.strip('<>').partition('@')[2]}>"
        headers |= {"References": thread, "X-MIM-Reference": f"MI-{delivery.incident_id}"}
    text, markup = message.text, message.html
    if delivery.recipient_id is None and delivery.audience == Audience.USERS:
        url = end_url(delivery.address)
        headers |= {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        text = f"{text}\n\nNo more of these mails: {url}\n"
        markup = markup.replace("</body>", format_html('<p><a href="{}">No more of these mails</a></p></body>', url))
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=text,
        to=[delivery.address],
        reply_to=[settings.DEFAULT_FROM_EMAIL],
        headers=headers,
    )
    mail.attach_alternative(markup, "text/html")
    return mail


def _hang_up(backend: EmailBackend) -> None:
    with suppress(OSError, smtplib.SMTPException):
        backend.close()
    backend.connection = None


def _in_words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"
    return str(error) or type(error).__name__
