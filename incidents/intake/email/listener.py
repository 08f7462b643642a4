"""The SMTP or LMTP door. A 250 after the message means that it is committed; nothing else is ever answered so.

Only mail for configured recipients is taken, and only for them: this is no relay. Django's database calls run in
threads; a database that is away is a 451, after which every sender comes again by itself.
"""

import asyncio
import contextlib
import logging
import signal
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections
from django.utils import timezone

from incidents import mail_reference
from incidents.actions.mail import Came
from incidents.actions.mail_settings import note_listener
from incidents.intake.email.store import keep
from incidents.models import InboundMail
from incidents.queries.mail import accepted_addresses

LONGEST_LINE = 1024 * 1024
MOST_CONNECTIONS = 60
SECONDS_OF_SILENCE = 300.0
SECONDS_TO_STORE = 25.0
ADDRESSES_KEPT_FOR = 10.0
SIGN_OF_LIFE_EVERY = 30.0
_AWAY = "451 4.3.0 The desk’s database is away for the moment. Try again later; nothing is lost."
_log = logging.getLogger(__name__)
Via = InboundMail.Via


@dataclass(frozen=True)
class Listening:
    """How the door is opened. With `certificate` and `key` (files) it offers STARTTLS."""

    host: str
    port: int
    lmtp: bool = False
    certificate: str = ""
    key: str = ""


class Door:
    """Answers of one listener to SMTP commands; the handler of all its sessions."""

    def __init__(self, *, lmtp: bool = False) -> None:
        self.lmtp = lmtp
        self.threads = ThreadPoolExecutor(8, thread_name_prefix="mail")
        self.connections = 0
        self._known: frozenset[str] = frozenset()
        self._known_until = 0.0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """250 for an address of the desk, with or without a plus-tag; 550 for any other."""
        try:
            known = await self._accepted()
        except (DatabaseError, InterfaceError, TimeoutError):
            return _AWAY
        if mail_reference.without_reference(address) not in known:
            return f"550 5.1.1 <{_ascii(address)[:200]}> is no address of this service desk"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """250 once the mail is committed, 451 when it could not be; LMTP hears it once for each recipient."""
        came = Came(
            via=Via.LMTP if self.lmtp else Via.SMTP,
            envelope_from=(envelope.mail_from or "").strip("<>"),  # the library says "<>" for nobody
            recipients=tuple(envelope.rcpt_tos),
            peer=str((session.peer or [""])[0]),
        )
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        try:
            number = await self._in_thread(lambda: keep(content, came, at=timezone.now())[0].pk)
        except (DatabaseError, InterfaceError, TimeoutError) as error:
            _log.warning("mail not taken: database away", extra={"reason": str(error)[:200]})
            answer = _AWAY
        else:
            answer = await self.kept(number)
        return "\r\n".join([answer] * len(envelope.rcpt_tos)) if self.lmtp else answer

    async def kept(self, number: int) -> str:
        """The promise."""
        return f"250 2.0.0 Kept as mail {number}"

    async def handle_exception(self, error: Exception) -> str:
        """What no rule foresaw: told to the log, and to the sender that it may try again."""
        _log.error("session broke", exc_info=error)
        return "451 4.3.0 Something went wrong here. Try again later."

    async def _accepted(self) -> frozenset[str]:
        now = asyncio.get_running_loop().time()
        if now >= self._known_until:
            self._known = await self._in_thread(accepted_addresses)
            self._known_until = now + ADDRESSES_KEPT_FOR
        return self._known

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        def run() -> Any:
            close_old_connections()
            try:
                return work()
            finally:
                close_old_connections()

        loop = asyncio.get_running_loop()
        return await asyncio.wait_for(loop.run_in_executor(self.threads, run), SECONDS_TO_STORE)

    async def show_itself(self, listening: Listening) -> None:
        """Writes where it listens, now and every half minute, for the page of administrators."""
        address = f"{'lmtp' if listening.lmtp else 'smtp'}://{listening.host}:{listening.port}"
        while True:
            with contextlib.suppress(DatabaseError, InterfaceError, TimeoutError):
                await self._in_thread(lambda: note_listener(address, at=timezone.now()))
            await asyncio.sleep(SIGN_OF_LIFE_EVERY)


class _Counted:
    """Sessions beyond the limit are told to come later, so that a crowd cannot fill the memory."""

    event_handler: Door
    _is_counted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._is_counted:  # STARTTLS comes by here once more
            self._is_counted = True
            self.event_handler.connections += 1
        if self.event_handler.connections > MOST_CONNECTIONS and isinstance(transport, asyncio.WriteTransport):
            transport.write(b"421 4.3.2 Too many connections. Try again later.\r\n")
            transport.close()
            return
        super().connection_made(transport)  # type: ignore[misc]

    def connection_lost(self, error: Exception | None) -> None:
        if self._is_counted:
            self._is_counted = False
            self.event_handler.connections -= 1
        if getattr(self, "session", None) is not None:
            super().connection_lost(error)  # type: ignore[misc]


class CountedSMTP(_Counted, SMTP):
    line_length_limit = LONGEST_LINE


class CountedLMTP(_Counted, LMTP):
    line_length_limit = LONGEST_LINE


async def serve(listening: Listening, door: Door | None = None) -> None:
    """Listens until SIGTERM or SIGINT; sessions that are storing a mail may finish."""
    loop = asyncio.get_running_loop()
    door = door or Door(lmtp=listening.lmtp)
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    tls = _tls(listening)

    def session() -> SMTP:
        made = CountedLMTP if listening.lmtp else CountedSMTP
        return made(
            door,
            data_size_limit=settings.MAIL_MAX_BYTES,
            enable_SMTPUTF8=True,
            hostname=mail_reference.own_host(),
            ident="MIM",
            timeout=SECONDS_OF_SILENCE,
            tls_context=tls,
            loop=loop,
        )

    server = await loop.create_server(session, listening.host, listening.port)
    life = asyncio.create_task(door.show_itself(listening))
    await stop.wait()
    server.close()
    life.cancel()
    await loop.run_in_executor(None, door.threads.shutdown)
    await asyncio.sleep(0.2)  # what was stored is answered


def _tls(listening: Listening) -> ssl.SSLContext | None:
    if not listening.certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(listening.certificate, listening.key or None)
    return context


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()
