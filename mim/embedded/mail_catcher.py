"""`python -m mim.embedded.mail_catcher FOLDER PORT`: an SMTP server that keeps what it is given.

Used when no mail server is configured, so that sending is real SMTP all the way. Each mail is one
file, named so that the newest sorts last; an administrator reads them on a page.
"""

import asyncio
import os
import signal
import sys
import time
import uuid
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

LARGEST_MAIL = 25 * 1024 * 1024


class Keep:
    """Writes each mail whole before it is accepted; the 250 is a promise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Answers 250 after the file is in place, 452 when it could not be written."""
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        head = f"X-Envelope-From: {envelope.mail_from or ''}\r\nX-Envelope-To: {', '.join(envelope.rcpt_tos)}\r\n"
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"
        unfinished = self.folder / f".{name}.part"
        try:
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(head.encode() + content)
            unfinished.rename(self.folder / f"{name}.eml")
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            return f"452 4.3.1 The mail could not be kept: {error.strerror}"
        return "250 2.0.0 Kept"


async def serve(folder: Path, port: int) -> None:
    """Listens on loopback until SIGTERM."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)

    def session() -> SMTP:
        return SMTP(Keep(folder), data_size_limit=LARGEST_MAIL, enable_SMTPUTF8=True, hostname="localhost", loop=loop)

    server = await loop.create_server(session, "127.0.0.1", port)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
