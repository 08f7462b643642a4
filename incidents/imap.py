"""Connections to mailboxes that people named: only to addresses that outgoing requests may go to, and with an end.

The name is resolved once, every address it has is checked, and the connection goes to that very address while TLS
keeps the name (see `outgoing`).
"""

import imaplib
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

from imap_tools import BaseMailBox
from imap_tools.errors import (
    ImapToolsError,
    MailboxFolderSelectError,
    MailboxLoginError,
    UnexpectedCommandStatusError,
)

from incidents import outgoing, sealed
from incidents.models import Mailbox

SECONDS_PER_ANSWER = 15.0
MOST_FOLDERS = 200


class MailboxTrouble(Exception):
    """It could not be used; says why and what to do, for an administrator."""


class _Checked(imaplib.IMAP4):
    """Opens its socket to an address that was checked a moment before."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        super().__init__(host, port, SECONDS_PER_ANSWER)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        error: OSError | None = None
        for address in outgoing.allowed_addresses(self.host, self.port):
            try:
                plain = socket.create_connection((address, self.port), outgoing.CONNECT_SECONDS)
            except OSError as refused:
                error = refused
                continue
            plain.settimeout(timeout)
            return self._tls.wrap_socket(plain, server_hostname=self.host) if self._tls else plain
        raise error or OSError(f"{self.host} has no address")


class Fetched:
    """A mail as the server sent it: `raw` byte for byte, `size` as the server counts it (0 when it did not say)."""

    def __init__(self, answer: list[Any]) -> None:
        parts = [part for part in answer if isinstance(part, tuple)]
        said = b" ".join([*(part[0] for part in parts), *(part for part in answer if isinstance(part, bytes))])
        size = re.search(rb"RFC822\.SIZE (\d{1,12})", said)
        self.raw = bytes(parts[0][1]) if parts else b""
        self.size = int(size[1]) if size else 0


class _Mailbox(BaseMailBox):
    email_message_class = Fetched  # type: ignore[assignment]

    def __init__(self, row: Mailbox) -> None:
        self._row = row
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        tls = ssl.create_default_context()
        at_once = self._row.security == Mailbox.Security.TLS
        client = _Checked(self._row.host, self._row.port, tls if at_once else None)
        if self._row.security == Mailbox.Security.STARTTLS:
            client.starttls(tls)
        return client


@contextmanager
def opened(row: Mailbox, *, seconds: float) -> Iterator[BaseMailBox]:
    """A mailbox one is signed in to, no folder chosen. It is hung up after so many seconds whatever the other side
    does. Raises MailboxTrouble. Never use it inside a transaction."""
    try:
        password = sealed.unseal(row.sealed_password)
        box = _Mailbox(row)
    except Exception as error:
        raise MailboxTrouble(_in_words(row, error)) from error
    alarm = threading.Timer(seconds, _hang_up, (box,))
    alarm.daemon = True
    alarm.start()
    try:
        if row.username.isascii() and password.isascii():
            box.login(row.username, password, initial_folder=None)
        else:
            box.login_utf8(row.username, password, initial_folder=None)
        yield box
    except (imaplib.IMAP4.error, ImapToolsError, OSError, EOFError, ValueError, LookupError) as error:
        raise MailboxTrouble(_in_words(row, error)) from error
    finally:
        alarm.cancel()
        with suppress(Exception):
            box.logout()
        _hang_up(box)


def fetch(box: BaseMailBox, uid: int, *, headers_only: bool = False) -> Fetched | None:
    """One mail by its number, left unread; None when it is not there any more."""
    found = box.fetch(uid_list=str(uid), mark_seen=False, headers_only=headers_only)
    return cast(Fetched | None, next(iter(found), None))


def _hang_up(box: BaseMailBox) -> None:
    with suppress(OSError, AttributeError):
        box.client.sock.shutdown(socket.SHUT_RDWR)


def folders(row: Mailbox) -> list[str]:
    """Signs in and lists the folders: what the test button does. Raises MailboxTrouble."""
    with opened(row, seconds=30) as box:
        found = [folder.name for folder in box.folder.list()][:MOST_FOLDERS]
        for name in filter(None, (row.folder, row.move_to)):
            if name.upper() != "INBOX" and name not in found:
                raise MailboxTrouble(f"There is no folder “{name}” there. It has: {', '.join(found)[:500]}.")
    return found


def _in_words(row: Mailbox, error: Exception) -> str:
    """What went wrong, and the way out."""
    said = str(error).replace("\n", " ")[:300]
    if isinstance(error, sealed.SealBroken | outgoing.OutgoingRefused | outgoing.OutgoingFailed):
        return str(error)
    if isinstance(error, ssl.SSLError):
        return (
            f"The encrypted connection to {row.host}:{row.port} failed ({said}). Check port and security, or that the "
            "certificate is for this name and from an authority this machine knows (SSL_CERT_FILE)."
        )
    if isinstance(error, MailboxLoginError):
        return f"{row.host} refused the sign-in of {row.username}. Check user name and password. It says: {said}"
    if isinstance(error, MailboxFolderSelectError):
        return f"The folder “{row.folder}” cannot be opened. Use “Test” to see which there are. {row.host} says: {said}"
    if isinstance(error, UnexpectedCommandStatusError):
        return f"{row.host} did not do what was asked. It says: {said}"
    if isinstance(error, TimeoutError):
        return f"{row.host}:{row.port} did not answer in time. Check host and port, and firewalls on the way."
    if isinstance(error, ConnectionRefusedError):
        return f"Nothing listens on port {row.port} of {row.host}. IMAP is usually on 993 (TLS) or 143 (STARTTLS)."
    return f"{row.host}:{row.port} broke off ({said or type(error).__name__}). It is tried again by itself."
