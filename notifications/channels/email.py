"""E-mail over SMTP. The server's 250 after the message is the evidence that somebody was told."""

import re
import smtplib
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from email.header import Header
from email.utils import formatdate, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend
from django.core.mail.message import BadHeaderError, forbid_multi_line_headers, sanitize_address
from django.utils.html import format_html

from incidents import mail_reference
from incidents.process import Audience
from incidents.queries.mail import thread_of
from notifications import bridge_calendar
from notifications.channels import Outcome, Outgoing
from notifications.channels.smtp_dialogue import hand_over
from notifications.models import ChannelKey
from notifications.status.subscribers import end_url

SECONDS_PER_COMMAND = 5
QUICK_SECONDS, SETTLED_TOGETHER = 0.005, 10
"""A kill repeats at most so many mails of a quick server, and one of any other, under the same Message-ID."""
LONGEST_LINE = 78
_UNFOLDED = re.compile(rb"\r\n(?![ \t])")
WRITTEN_BY_PEOPLE = ("ticket_commented",)
_CANNOT_REACH = "The mail server cannot be reached"


class EmailChannel:
    key = ChannelKey.EMAIL.value
    batch = 100
    one_at_a_time = True

    def send(self, wanted: Iterable[Outgoing]) -> Iterator[list[tuple[Outgoing, Outcome]]]:
        """One message after the other over one kept connection, opened again when the server hangs up.

        What a fast server took in an instant is settled together: writing it down costs more than sending it.
        """
        backend = EmailBackend(timeout=min(settings.EMAIL_TIMEOUT or SECONDS_PER_COMMAND, SECONDS_PER_COMMAND))
        writer, unreachable = Writer(), ""
        taken: list[tuple[Outgoing, Outcome]] = []
        try:
            for one in wanted:
                began = time.monotonic()
                outcome = Outcome(False, unreachable) if unreachable else _try(backend, writer, one)
                if outcome.answer.startswith(_CANNOT_REACH):
                    unreachable = outcome.answer  # the rest of the batch waits with it, without a time-out each
                taken.append((one, outcome))
                is_quick = outcome.accepted and time.monotonic() - began < QUICK_SECONDS
                if not is_quick or len(taken) == SETTLED_TOGETHER:
                    yield taken
                    taken = []
            if taken:
                yield taken
        finally:
            with suppress(OSError, smtplib.SMTPException):
                backend.close()


class Writer:
    """Composes the mails of one batch. A body that many read is encoded once: that is most of the work of a mail."""

    def __init__(self) -> None:
        self._body: tuple[tuple[str, str, bytes], bytes] | None = None

    def raw(self, one: Outgoing) -> bytes:
        """The mail as it goes over the wire, without the dot-stuffing of SMTP.

        Raises BadHeaderError or ValueError when a header could not be written as it stands.
        """
        head = "".join(_line(name, value) for name, value in _headers(one).items())
        return head.encode("ascii") + self._encoded(*_words(one), bridge_calendar.entry_of(one.delivery))

    def _encoded(self, text: str, markup: str, entry: tuple[str, bytes] | None) -> bytes:
        """From the headers that describe the body on: plain text with an HTML alternative, and the calendar entry
        that goes with it both as programs show it and as a file."""
        key = (text, markup, entry[1] if entry else b"")
        if self._body is None or self._body[0] != key:
            mail = EmailMultiAlternatives(body=text)
            mail.attach_alternative(markup, "text/html")
            if entry:
                mail.attach_alternative(entry[1].decode(), f"text/calendar; method={entry[0]}")
                mail.attach("bridge.ics", entry[1], "application/ics")
            raw = mail.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
            head, _, body = raw.partition(b"\r\n\r\n")
            kept = [line for line in _UNFOLDED.split(head) if line.lower().startswith((b"content-", b"mime-"))]
            self._body = (key, b"\r\n".join(kept) + b"\r\n\r\n" + body)
        return self._body[1]


def _try(backend: EmailBackend, writer: Writer, one: Outgoing) -> Outcome:
    try:
        raw = writer.raw(one)
    except (BadHeaderError, ValueError) as error:
        return Outcome(
            False, f"The message cannot be sent to this address: {error}", is_final=True, blames_address=True
        )
    try:
        desk = mail_reference.desk_address()
        answer = hand_over(_connected(backend), one.delivery.address, raw, return_path_of(one), desk)
    except ValueError as error:
        _hang_up(backend)
        return Outcome(False, f"The address cannot be used: {error}", is_final=True, blames_address=True)
    except (OSError, smtplib.SMTPException) as error:
        _hang_up(backend)
        return Outcome(False, f"{_CANNOT_REACH}: {_in_words(error)}")
    if answer.code == 421:
        _hang_up(backend)
    blames_address = answer.is_final and answer.part == "recipient"
    return Outcome(answer.is_accepted, answer.text, is_final=answer.is_final, blames_address=blames_address)


def _connected(backend: EmailBackend) -> smtplib.SMTP:
    """The kept connection, opened when there is none."""
    if backend.connection is None:
        backend.open()
    connection = backend.connection
    if connection is None:
        raise smtplib.SMTPServerDisconnected("no connection")
    connection.ehlo_or_helo_if_needed()
    return connection


def return_path_of(one: Outgoing) -> str:
    """Whom a bounce goes to: nobody, for what the product says by itself; the desk, for what a person wrote."""
    return parseaddr(_reply_to(one))[1] if one.delivery.moment in WRITTEN_BY_PEOPLE else ""


def _ref(one: Outgoing) -> str:
    """The record an answer belongs to; "" for a test, which no event made."""
    if one.delivery.event_id is None:
        return ""
    event = one.delivery.event
    if event.ticket_id:
        return f"INC-{event.ticket_id}"
    return f"MI-{one.delivery.incident_id}" if one.delivery.incident_id else ""


def _reply_to(one: Outgoing) -> str:
    return mail_reference.reply_to(_ref(one), one.delivery.address)


def _thread(one: Outgoing) -> dict[str, str]:
    """So that all mails about one record stand together, below the mail that began it if there is one."""
    ref = _ref(one)
    if not ref:
        return {}
    ticket = one.delivery.event.ticket_id
    theirs = thread_of(ticket, one.delivery.address) if ticket else ""
    root = mail_reference.thread_root(ref, one.delivery.address)
    safe = theirs if re.fullmatch(r"<[!-;=?-~]{3,250}>", theirs) else ""
    known = {"References": f"{root} {safe}".strip(), "X-MIM-Reference": ref}
    return known | ({"In-Reply-To": safe} if safe else {})


def _headers(one: Outgoing) -> dict[str, str]:
    """Marked as automatic so that nobody's absence note answers it."""
    delivery = one.delivery
    ref = _ref(one)
    headers = {
        "Subject": one.message.subject + (mail_reference.subject_mark(ref, delivery.address) if ref else ""),
        "From": settings.DEFAULT_FROM_EMAIL,
        "To": sanitize_address(delivery.address, "utf-8"),
        "Reply-To": _reply_to(one),
        "Date": formatdate(),
        "Message-ID": delivery.message_id,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "X-MIM-Loop": mail_reference.own_host(),
        **_thread(one),
    }
    if _may_end(one):
        url = end_url(delivery.address)
        headers |= {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return headers


def _words(one: Outgoing) -> tuple[str, str]:
    """Text and HTML; whoever follows without an account can end it from the mail."""
    text, markup = one.message.text, one.message.html
    if not _may_end(one):
        return text, markup
    url = end_url(one.delivery.address)
    ending = format_html('<p><a href="{}">No more of these mails</a></p></body>', url)
    return f"{text}\n\nNo more of these mails: {url}\n", markup.replace("</body>", ending)


def _may_end(one: Outgoing) -> bool:
    return one.delivery.recipient_id is None and one.delivery.audience == Audience.USERS


def _line(name: str, value: str) -> str:
    """One header, encoded and folded as Django does it; a line break in a value is refused."""
    name, value = forbid_multi_line_headers(name, value, "utf-8")
    is_folded = "\n" in value  # what was not ASCII is encoded and folded already
    if not is_folded and len(name) + len(value) + 2 > LONGEST_LINE:
        value = Header(value, maxlinelen=LONGEST_LINE, header_name=name).encode()
    return f"{name}: {value}\n".replace("\n", "\r\n")


def _hang_up(backend: EmailBackend) -> None:
    with suppress(OSError, smtplib.SMTPException):
        backend.close()
    backend.connection = None


def _in_words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"
    return str(error) or type(error).__name__
