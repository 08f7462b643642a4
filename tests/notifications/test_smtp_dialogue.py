"""One mail and a server's answers, by turns and with commands sent together; real servers on loopback."""

import smtplib
import socket
import threading

import pytest
from aiosmtpd.controller import Controller

from notifications.channels.smtp_dialogue import hand_over
from tests.notifications.conftest import free_port

RAW = b"Subject: Checkout\r\n\r\nFirst line\r\n.hidden period\r\n"
DESK = "desk@shop.example"


class Server:
    """Keeps what it took. `nobody` is refused as recipient; an empty sender is, when `refuses_empty`."""

    def __init__(self, *, together: bool, refuses_empty: bool = False) -> None:
        self.together, self.refuses_empty = together, refuses_empty
        self.taken: list[tuple[str, list[str], bytes]] = []

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        return [*responses[:-1], *(["250-PIPELINING"] if self.together else []), responses[-1]]

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.refuses_empty and address in ("", "<>"):
            return "550 5.1.8 no empty senders here"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return "550 5.1.1 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.taken.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 2.0.0 taken"


@pytest.fixture(params=[False, True], ids=["by turns", "together"])
def connect(request):
    open_ones: list = []

    def start(**wanted):
        server = Server(together=request.param, **wanted)
        controller = Controller(server, hostname="127.0.0.1", port=free_port())
        controller.start()
        connection = smtplib.SMTP("127.0.0.1", controller.port, timeout=10)
        connection.ehlo()
        open_ones.append((connection, controller))
        assert connection.has_extn("pipelining") == request.param
        return server, connection

    yield start
    for connection, controller in open_ones:
        connection.close()
        controller.stop()


def test_a_mail_arrives_as_it_was_and_the_answer_is_kept(connect):
    server, connection = connect()
    answer = hand_over(connection, "rita@shop.example", RAW, "", DESK)
    assert answer.is_accepted and answer.text == "250 2.0.0 taken"
    assert server.taken == [("<>", ["rita@shop.example"], RAW)]


def test_a_refused_recipient_stops_nobody_after_it(connect):
    server, connection = connect()
    refused = hand_over(connection, "nobody@shop.example", RAW, "", DESK)
    assert (refused.part, refused.code, refused.is_final, refused.is_accepted) == ("recipient", 550, True, False)
    assert hand_over(connection, "rita@shop.example", RAW, "", DESK).is_accepted
    assert [to for _, to, _ in server.taken] == [["rita@shop.example"]]


def test_a_server_that_takes_no_empty_sender_gets_the_desk(connect):
    server, connection = connect(refuses_empty=True)
    assert hand_over(connection, "rita@shop.example", RAW, "", DESK).is_accepted
    assert server.taken[0][0] == DESK


def test_an_address_with_a_line_break_reaches_no_server(connect):
    server, connection = connect()
    with pytest.raises(ValueError, match="line break|newline"):
        hand_over(connection, "\r\n", RAW, "", DESK)
    assert hand_over(connection, "rita@shop.example", RAW, "", DESK).is_accepted and len(server.taken) == 1


def test_a_server_that_waits_for_a_mail_to_nobody_gets_an_empty_one():
    """Some answer DATA with 354 although they refused every recipient (RFC 2920, 3.1)."""
    said: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        link, _ = listener.accept()
        with link, link.makefile("rwb", buffering=0) as talk:
            talk.write(b"220 odd\r\n")
            for answer in (
                b"250-odd\r\n250 PIPELINING",
                b"250 OK",
                b"550 no",
                b"354 go on",
                b"554 no recipients",
                b"250 reset",
            ):
                said.append(talk.readline())
                talk.write(answer + b"\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        with smtplib.SMTP(*listener.getsockname(), timeout=10) as connection:
            connection.ehlo()
            answer = hand_over(connection, "nobody@shop.example", RAW, "", DESK)
            thread.join(10)
            connection.close()
    assert (answer.part, answer.code) == ("recipient", 550)
    assert said[4:] == [b".\r\n", b"rset\r\n"]
