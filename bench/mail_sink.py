"""A mail server that does nothing but take mails and write down when: `python -m bench.mail_sink PORT FILE`.

One line a mail in FILE: seconds since the epoch, recipient, Message-ID. Small, so that it is not what is measured.
"""

import asyncio
import re
import sys
import time
from contextlib import suppress
from pathlib import Path

_ADDRESS = re.compile(rb"<([^>]*)>")
_KEY = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, book) -> None:
    writer.write(b"220 sink\r\n")
    recipients: list[bytes] = []
    while line := await reader.readline():
        word = line[:4].upper()
        if word in (b"EHLO", b"HELO"):
            writer.write(b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
        elif word == b"DATA":
            writer.write(b"354 go on\r\n")
            body = await reader.readuntil(b"\r\n.\r\n")
            key = _KEY.search(body)
            for address in recipients:
                book.write(f"{time.time():.4f} {address.decode()} {key[1].decode() if key else '-'}\n")
            book.flush()
            writer.write(b"250 2.0.0 taken\r\n")
            recipients = []
        elif word == b"QUIT":
            writer.write(b"221 bye\r\n")
            break
        else:
            if word == b"RCPT" and (found := _ADDRESS.search(line)):
                recipients.append(found[1])
            elif word == b"RSET":
                recipients = []
            writer.write(b"250 OK\r\n")
    writer.close()


async def main() -> None:
    with Path(sys.argv[2]).open("a") as book:

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError, asyncio.IncompleteReadError):  # the sender was killed
                await talk(reader, writer, book)

        server = await asyncio.start_server(take, "127.0.0.1", int(sys.argv[1]), limit=2**22)
        async with server:
            await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
