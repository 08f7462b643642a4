"""Mails are written by parts; what arrives must be what Django would have written whole."""

from email import message_from_bytes
from email.policy import default

import pytest
from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import BadHeaderError
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from incidents.models import TimelineEvent
from notifications.channels import Outgoing
from notifications.channels.email import Writer
from notifications.models import Delivery, Message

PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=300).map(str.strip)


def outgoing(
    subject="Checkout is down", text="We know.\n", html="<html><body><p>We know.</p></body></html>", to="a@b.example"
):
    delivery = Delivery(event=TimelineEvent(), address=to, message_id="<1.abc@localhost>", moment="declared")
    return Outgoing(delivery, Message(subject=subject, text=text, html=html))


def _content(mail, kind):
    body = mail.get_body((kind,))
    return body and body.get_content()


@hypothesis_settings(deadline=None, max_examples=40)
@given(subject=PRINTABLE, text=PRINTABLE, html=PRINTABLE)
def test_a_mail_reads_as_if_it_had_been_written_whole(subject, text, html):
    writer, one = Writer(), outgoing(subject, text, html)
    writer.raw(outgoing("Another before it", text, html))  # the body is kept from this one
    written = message_from_bytes(writer.raw(one), policy=default)
    whole = EmailMultiAlternatives(subject=subject, body=text, to=["a@b.example"])
    whole.attach_alternative(html, "text/html")
    expected = message_from_bytes(whole.message().as_bytes(linesep="\r\n"), policy=default)
    assert written["Subject"].strip() == expected["Subject"].strip()  # a head begins and ends with no blank
    assert [part.get_content_type() for part in written.walk()] == [part.get_content_type() for part in expected.walk()]
    for kind in ("plain", "html"):
        assert _content(written, kind) == _content(expected, kind)
    assert not written.defects


def test_no_line_of_a_head_is_too_long_and_none_is_lost():
    subject = " ".join(["Störung"] * 40)
    raw = Writer().raw(outgoing(subject=subject, to=f"{'x' * 60}@{'y' * 50}.example"))
    head = raw.partition(b"\r\n\r\n")[0]
    assert max(len(line) for line in head.split(b"\r\n")) <= 998
    mail = message_from_bytes(raw, policy=default)
    assert mail["Subject"] == subject
    assert {"From", "To", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"} <= set(mail.keys())


@pytest.mark.parametrize("broken", ["Down\r\nBcc: all@shop.example", "Down\nX: y"])
def test_a_line_break_in_a_header_is_refused(broken):
    with pytest.raises(BadHeaderError):
        Writer().raw(outgoing(subject=broken))


@pytest.mark.parametrize("broken", ["a@b.example, c@d.example", "a@b.example\r\nBcc: x@y.example"])
def test_a_broken_address_is_refused(broken):
    with pytest.raises(ValueError, match="ddress"):
        Writer().raw(outgoing(to=broken))
