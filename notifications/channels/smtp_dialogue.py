"""One mail handed to a mail server over a kept connection, with the server's own answer.

Where the server offers it (RFC 2920) sender, recipient and DATA go out together: two round trips a mail instead of
four.
"""

import re
import smtplib
from contextlib import suppress
from dataclasses import dataclass

_LEADING_PERIOD = re.compile(rb"(?m)^\.")
_GO_ON = 354
_PARTS = ("sender", "recipient", "message")


@dataclass(frozen=True, slots=True)
class Answer:
    """What decided it: `part` is "sender", "recipient" or "message"; `text` begins with the code."""

    part: str
    code: int
    text: str

    @property
    def is_accepted(self) -> bool:
        return self.part == "message" and 200 <= self.code < 300

    @property
    def is_final(self) -> bool:
        """Whether trying again is of no use. A refused sender is a fault of the installation, not of this address."""
        return self.code >= 500 and self.part != "sender"


def hand_over(connection: smtplib.SMTP, address: str, raw: bytes, return_path: str, desk: str) -> Answer:
    """The dialogue of one mail. `raw` has CRLF line ends; `desk` is the sender where `return_path` is refused, because
    some servers take neither an empty nor a signed one.

    Raises ValueError for an address that cannot be written, OSError and SMTPException when the connection breaks.
    """
    dialogue = _together if connection.has_extn("pipelining") else _by_turns
    answer = dialogue(connection, address, raw, return_path)
    if answer.part == "sender" and answer.code >= 500 and return_path != desk:
        return dialogue(connection, address, raw, desk)
    return answer


def _by_turns(connection: smtplib.SMTP, address: str, raw: bytes, return_path: str) -> Answer:
    for part, (verb, argument) in zip(_PARTS, _commands(address, return_path), strict=True):
        connection.putcmd(verb, argument)
        code, said = _reply(connection)
        if code >= 400 or part == "message" and code != _GO_ON:
            return _refused(connection, Answer(part, code, said))
    return _body(connection, raw)


def _together(connection: smtplib.SMTP, address: str, raw: bytes, return_path: str) -> Answer:
    lines = [f"{verb} {argument}".strip() for verb, argument in _commands(address, return_path)]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("it holds a line break")
    connection.send("".join(f"{line}\r\n" for line in lines))
    replies = [_reply(connection) for _ in lines]
    for part, (code, said) in zip(_PARTS, replies, strict=True):
        if code >= 400 or part == "message" and code != _GO_ON:
            if replies[-1][0] == _GO_ON:  # it waits for a mail all the same: an empty one that goes nowhere
                connection.send(b".\r\n")
                _reply(connection)
            return _refused(connection, Answer(part, code, said))
    return _body(connection, raw)


def _commands(address: str, return_path: str) -> tuple[tuple[str, str], ...]:
    return (
        ("MAIL", f"FROM:{smtplib.quoteaddr(return_path)}"),
        ("RCPT", f"TO:{smtplib.quoteaddr(address)}"),
        ("DATA", ""),
    )


def _body(connection: smtplib.SMTP, raw: bytes) -> Answer:
    stuffed = _LEADING_PERIOD.sub(b"..", raw)
    connection.send(stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n"))
    return Answer("message", *_reply(connection))


def _refused(connection: smtplib.SMTP, answer: Answer) -> Answer:
    if answer.code != 421:  # with that the server hangs up
        with suppress(smtplib.SMTPServerDisconnected):
            connection.rset()
    return answer


def _reply(connection: smtplib.SMTP) -> tuple[int, str]:
    code, said = connection.getreply()
    if code < 200:
        raise smtplib.SMTPServerDisconnected("the server’s answer is not SMTP")
    return code, f"{code} {said.decode(errors='replace')}"[:500]
