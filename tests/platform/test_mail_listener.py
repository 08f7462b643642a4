"""The listener for mail as mail servers and people's programs meet it: over SMTP and LMTP, dying, and without its
database."""

import contextlib
import os
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import threading

import psycopg2
import pytest
import trustme

from incidents.intake.email.parse import parse_head
from mim.embedded.ports import accepts, free_port
from mim.embedded.processes import Child
from mim.embedded.services import ROOT
from tests.incidents.mail.mails import mail
from tests.platform.conftest import until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
DESK = "servicedesk@localhost"
RITA = "rita@customer.example"
MAILS = "SELECT raw, envelope_from, recipients, via FROM incidents_inboundmail ORDER BY id"
_SLOW = """
import asyncio, django
django.setup()
from incidents.intake.email import listener

class Slow(listener.Door):
    async def kept(self, number):
        await asyncio.sleep(60)
        return await super().kept(number)

asyncio.run(listener.serve(listener.Listening("127.0.0.1", {port}), Slow()))
"""


class Kept:
    """What the database of the installation holds."""

    def __init__(self, url: str) -> None:
        self.url = url

    def rows(
        self, query: str = "SELECT raw, envelope_from, recipients, via FROM incidents_inboundmail ORDER BY id"
    ) -> list:
        with contextlib.closing(psycopg2.connect(self.url)) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall() if cursor.description else []

    def clear(self) -> None:
        with contextlib.closing(psycopg2.connect(self.url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM incidents_inboundmail")

    def __len__(self) -> int:
        return len(self.rows())


@pytest.fixture
def kept(installation):
    found = Kept(installation.cluster.url)
    found.clear()
    return found


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 and the authority that signed it, as files."""
    folder = tmp_path_factory.mktemp("certificate")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    return folder


def _child(installation, name: str, port: int, command: list[str], **environment: str) -> Child:
    child = Child(
        name=name,
        command=command,
        environment=installation.environment | {"DJANGO_SETTINGS_MODULE": "mim.settings"} | environment,
        log=installation.home / "log" / f"{name}.log",
        folder=ROOT,
    )
    child.start()
    until(lambda: accepts("127.0.0.1", port) or not child.is_running(), 30, child.last_words())
    assert child.is_running(), child.last_words()
    return child


@pytest.fixture(scope="module")
def listener(installation, certificate):
    """A running `receive_mail`; its port."""
    port = free_port()
    child = _child(
        installation, "mail-in", port, [sys.executable, "manage.py", "receive_mail", "--port", str(port)],
        MIM_MAIL_MAX_BYTES="300000", MIM_MAIL_IN_CERTIFICATE=str(certificate / "server.pem"),
    )  # fmt: skip
    yield port
    child.stop()


def send(
    port: int, raw: bytes | None = None, *, sender: str = RITA, to: str | list[str] = DESK, kind=smtplib.SMTP
) -> None:
    with kind("127.0.0.1", port, timeout=20) as server:
        server.sendmail(sender, to, raw or mail())


# --- A mail is taken ------------------------------------------------------------------------------------
def test_the_answer_comes_after_the_commit_and_every_byte_is_kept(listener, kept):
    raw = mail(body="A line\n.\n..two dots\n" + "long " * 1000 + "\nGrößer")
    send(listener, raw)
    stored, sender, recipients, via = kept.rows()[0]
    assert bytes(stored) == raw and (sender, recipients, via) == (RITA, [DESK], "smtp")


def test_a_bounce_and_an_address_with_a_plus_are_taken(listener, kept):
    send(listener, sender="", to="ServiceDesk+inc-1-x@LOCALHOST")
    assert kept.rows()[0][1:3] == ("", ["ServiceDesk+inc-1-x@LOCALHOST"])


def test_it_is_no_relay(listener, kept):
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        send(listener, to="somebody@elsewhere.example")
    code, words = refusal.value.recipients["somebody@elsewhere.example"]
    assert code == 550 and b"no address of this service desk" in words and len(kept) == 0


def test_a_new_receiving_address_is_taken_without_a_restart(listener, kept):
    kept_for = Kept(kept.url)
    with contextlib.closing(psycopg2.connect(kept.url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO incidents_receivingaddress (address, is_active, created_at) "
            "VALUES ('new@shop.example', true, now())"
        )

    def is_taken() -> bool:
        with contextlib.suppress(smtplib.SMTPRecipientsRefused):
            send(listener, to="new@shop.example")
            return True
        return False

    until(is_taken, 15, "the new address")
    assert len(kept_for) == 1


def test_a_mail_over_the_limit_is_refused_before_it_is_sent(listener, kept):
    with pytest.raises(smtplib.SMTPSenderRefused) as refusal:
        send(listener, mail(body="x" * 400_000))
    assert refusal.value.smtp_code == 552 and len(kept) == 0


def test_the_same_mail_again_is_taken_and_kept_once(listener, kept):
    raw = mail(Message_ID="<again@customer.example>")
    send(listener, raw)
    send(listener, raw)
    assert len(kept) == 1


def test_twenty_senders_at_once(listener, kept):
    threads = [threading.Thread(target=send, args=(listener, mail(Message_ID=f"<{number}@x>"))) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(kept) == 20


def test_it_offers_encryption(listener, kept, certificate):
    context = ssl.create_default_context(cafile=str(certificate / "authority.pem"))
    with smtplib.SMTP("127.0.0.1", listener, timeout=20) as server:
        server.starttls(context=context)
        server.sendmail(RITA, [DESK], mail())
    assert len(kept) == 1


def test_a_crowd_is_told_to_come_later_and_leaves_room_again(listener, kept):
    crowd = [socket.create_connection(("127.0.0.1", listener), 5) for _ in range(70)]
    answers = []
    for one in crowd:
        one.settimeout(10)
        answers.append(one.recv(3))
    for one in crowd:
        one.close()
    assert answers.count(b"220") == 60 and answers.count(b"421") == 10
    until(lambda: _is_greeted(listener), 10, "room for the next")


def _is_greeted(port: int) -> bool:
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), 5)) as one:
        one.settimeout(5)
        return one.recv(3) == b"220"


def test_garbage_is_answered_and_stops_nobody(listener, kept):
    for garbage in (b"\x00\xff" * 300 + b"\r\n", b"GET / HTTP/1.1\r\n\r\n", b"EHLO x\r\nMAIL FROM:<\xff\xfe>\r\n", b""):
        with contextlib.closing(socket.create_connection(("127.0.0.1", listener), 5)) as one:
            one.sendall(garbage)
    send(listener)
    assert len(kept) == 1


# --- Real programs ----------------------------------------------------------------------------------------
def _needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed (apt-get install {program})")


def run(*command: str, text: str = "", **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command, input=text, text=True, capture_output=True, timeout=60, env=os.environ | environment, check=False
    )


def test_swaks_is_content(listener, kept):
    _needs("swaks")
    done = run("swaks", "--server", f"127.0.0.1:{listener}", "--from", RITA, "--to", DESK, "--tls-optional",
               "--header", "Subject: From swaks", "--body", "Cannot pay")  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert b"Subject: From swaks" in bytes(kept.rows()[0][0])
    refused = run("swaks", "--server", f"127.0.0.1:{listener}", "--from", RITA, "--to", "x@elsewhere.example")
    assert refused.returncode == 24 and "550" in refused.stdout  # 24: no recipient was accepted


def test_msmtp_is_content(listener, kept):
    _needs("msmtp")
    done = run("msmtp", "--host=127.0.0.1", f"--port={listener}", f"--from={RITA}", "--tls=off", DESK,
               text=f"From: {RITA}\nTo: {DESK}\nSubject: From msmtp\n\nCannot pay\n")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"Subject: From msmtp" in bytes(kept.rows()[0][0])


def test_mutt_is_content_and_its_attachment_arrives(listener, kept, tmp_path):
    _needs("mutt")
    (tmp_path / "shot.txt").write_text("a picture")
    (tmp_path / "muttrc").write_text(
        f"set smtp_url='smtp://127.0.0.1:{listener}/'\nset from='{RITA}'\nset folder='{tmp_path}'\n"
        "set ssl_starttls=no\nset ssl_force_tls=no\nset copy=no\n"
    )
    words = ["-F", str(tmp_path / "muttrc"), "-s", "Größer than mutt", "-a", str(tmp_path / "shot.txt"), "--", DESK]
    done = run("mutt", *words, text="Cannot pay", HOME=str(tmp_path), LC_ALL="C.UTF-8")
    assert done.returncode == 0, done.stdout + done.stderr
    raw = bytes(kept.rows()[0][0])
    assert b"shot.txt" in raw and parse_head(raw).subject == "Größer than mutt"


# --- LMTP ---------------------------------------------------------------------------------------------------
def test_lmtp_answers_once_for_each_recipient(installation, kept):
    port = free_port()
    command = [sys.executable, "manage.py", "receive_mail", "--port", str(port), "--lmtp"]
    child = _child(installation, "lmtp", port, command)
    try:
        with socket.create_connection(("127.0.0.1", port), 20) as one, one.makefile("rwb") as server:
            says = [server.readline() for _ in range(1)]
            for command in ("LHLO mx", f"MAIL FROM:<{RITA}>", f"RCPT TO:<{DESK}>", "RCPT TO:<servicedesk+x@localhost>",
                            "RCPT TO:<no@elsewhere.example>", "DATA"):  # fmt: skip
                server.write(f"{command}\r\n".encode())
                server.flush()
                while (line := server.readline())[3:4] == b"-":
                    pass
                says.append(line)
            server.write(mail() + b".\r\nNOOP\r\n")
            server.flush()
            says += [server.readline() for _ in range(3)]
        codes = [int(line[:3]) for line in says]
        assert codes == [220, 250, 250, 250, 250, 550, 354, 250, 250, 250] and says[-3:-1] == [says[-3]] * 2
    finally:
        child.stop()
    assert [(via, len(recipients)) for _, _, recipients, via in kept.rows()] == [("lmtp", 2)]


# --- When something dies -------------------------------------------------------------------------------------
def test_killed_between_commit_and_answer_the_sender_comes_again_and_one_mail_is_there(installation, kept):
    port = free_port()
    child = _child(installation, "slow", port, [sys.executable, "-c", _SLOW.format(port=port)])
    raw = mail(Message_ID="<killed@customer.example>")
    failed: list[Exception] = []

    def try_to_send() -> None:
        try:
            send(port, raw)
        except (smtplib.SMTPException, OSError) as error:
            failed.append(error)

    sender = threading.Thread(target=try_to_send)
    sender.start()
    until(lambda: len(kept) == 1, 20, "the commit")
    assert child.process is not None
    os.kill(child.process.pid, signal.SIGKILL)
    sender.join(20)
    assert failed, "the sender must not believe that it was taken"
    child.stop()
    again = _child(installation, "again", port, [sys.executable, "manage.py", "receive_mail", "--port", str(port)])
    try:
        send(port, raw)
    finally:
        again.stop()
    assert len(kept) == 1


def test_without_its_database_it_says_451_and_the_retry_is_taken(listener, installation, kept):
    raw = mail(Message_ID="<outage@customer.example>")
    send(listener, mail(Message_ID="<before@customer.example>"))
    installation.stop_database()
    try:
        with pytest.raises((smtplib.SMTPDataError, smtplib.SMTPRecipientsRefused)) as refusal:
            send(listener, raw)
        said = getattr(refusal.value, "smtp_code", None) or refusal.value.recipients[DESK][0]
        assert said == 451
    finally:
        installation.start_database()

    def is_taken() -> bool:
        with contextlib.suppress(smtplib.SMTPException):
            send(listener, raw)
            return True
        return False

    until(is_taken, 20, "the retry")
    rows = kept.rows("SELECT message_id FROM incidents_inboundmail ORDER BY id")
    assert rows == [("<before@customer.example>",), ("<outage@customer.example>",)]


def test_it_shows_itself_and_stops_in_order(installation, kept):
    port = free_port()
    child = _child(installation, "shown", port, [sys.executable, "manage.py", "receive_mail", "--port", str(port)])
    shown = "SELECT listener_address FROM incidents_mailrules"
    until(lambda: kept.rows(shown) == [(f"smtp://127.0.0.1:{port}",)], 10, "the sign of life")
    assert child.process is not None
    child.process.send_signal(signal.SIGTERM)
    assert child.process.wait(10) == 0


def test_a_taken_port_is_one_sentence(installation, listener):
    done = installation.manage("receive_mail", "--port", str(listener))
    assert done.returncode == 1 and f"Cannot listen on 127.0.0.1 port {listener}" in done.stderr
    assert "Traceback" not in done.stderr
