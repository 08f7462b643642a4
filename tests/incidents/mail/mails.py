"""Mails as programs and people send them. Written for these tests after what each kind of sender does."""
# ruff: noqa: E501 - a mail reads better on its line

from dataclasses import dataclass

CRLF = "\r\n"


def mail(*lines: str, body: str | bytes = "It does not work.", **headers: str) -> bytes:
    """A mail; headers by name with underscores for dashes, further lines as they are. "" leaves a header out."""
    given = {"From": "Rita <rita@customer.example>", "To": "servicedesk@localhost", "Subject": "Cannot pay", **headers}
    named = [f"{name.replace('_', '-')}: {value}" for name, value in given.items() if value]
    head = CRLF.join([*named, *lines]).encode("utf-8", "surrogateescape")
    content = body.replace("\n", CRLF).encode() if isinstance(body, str) else body
    return head + b"\r\n\r\n" + content + b"\r\n"


def parts(kind: str, *pieces: str | bytes, boundary: str = "XyZ", end: bool = True) -> bytes:
    """The body of a multipart mail: each piece with its own headers, a blank line, and its content."""
    said = b""
    for piece in pieces:
        plain = piece.replace("\n", CRLF).encode() if isinstance(piece, str) else piece
        said += b"--" + boundary.encode() + b"\r\n" + plain + b"\r\n"
    return said + (b"--" + boundary.encode() + b"--" if end else b"")


def multipart(kind: str, *pieces: str | bytes, boundary: str = "XyZ", end: bool = True, **headers: str) -> bytes:
    more = headers.pop("parameters", "")
    headers = {"MIME_Version": "1.0", "Content_Type": f'multipart/{kind}; boundary="{boundary}"{more}', **headers}
    return mail(body=parts(kind, *pieces, boundary=boundary, end=end), **headers)


def report(status: str, returned: str = "Subject: [INC-1]", *, sender: str, subject: str, **headers: str) -> bytes:
    return multipart(
        "report",
        "Content-Type: text/plain\n\nYour message could not be delivered.",
        f"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n{status}",
        f"Content-Type: text/rfc822-headers\n\n{returned}",
        parameters="; report-type=delivery-status",
        **{"From": sender, "Subject": subject, **headers},
    )


@dataclass(frozen=True)
class Labelled:
    """`envelope` is the return path: "" for bounces, None when nobody knows it (a mailbox)."""

    name: str
    raw: bytes
    envelope: str | None = "someone@away.example"


_FAILED = "Final-Recipient: rfc822; gone@away.example\nAction: failed\nStatus: 5.1.1"
_DAEMON = "MAILER-DAEMON@mx.example"


def _bounces() -> list[Labelled]:
    told = "A message that you sent could not be delivered: 550 5.1.1 user unknown"
    found = [
        Labelled("postfix", report(_FAILED, sender=f"{_DAEMON} (Mail Delivery System)",
                                   subject="Undelivered Mail Returned to Sender", Auto_Submitted="auto-replied"), ""),
        Labelled("sendmail", report(_FAILED, sender=f"Mail Delivery Subsystem <{_DAEMON}>",
                                    subject="Returned mail: see transcript for details"), ""),
        Labelled("exchange", report(_FAILED, sender="postmaster@corp.example", subject="Undeliverable: INC-1"), ""),
        Labelled("exchange online", report(_FAILED, sender="Microsoft Outlook <MicrosoftExchange329@corp.example>",
                                           subject="Undeliverable: INC-1 received"), ""),
        Labelled("office 365 from a mailbox", report(
            _FAILED, sender="Microsoft Outlook <MicrosoftExchange329@corp.example>", subject="Unzustellbar: INC-1"
        ), None),
        Labelled("gmail", report(_FAILED, sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
                                 subject="Delivery Status Notification (Failure)", X_Failed_Recipients="x@y.example"),
                 ""),
        Labelled("delayed", report("Action: delayed\nStatus: 4.4.1", sender=_DAEMON,
                                   subject="Warning: could not send message for past 4 hours"), ""),
        Labelled("complaint", multipart(
            "report", "Content-Type: text/plain\n\nThis is a complaint.",
            "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1",
            parameters="; report-type=feedback-report", From="fbl@provider.example", Subject="Complaint",
        )),
        Labelled("qmail", mail(From=_DAEMON, Subject="failure notice", body=f"Hi. This is the qmail-send program.\n{told}"), ""),
        Labelled("exim", mail(From=f"Mail Delivery System <{_DAEMON}>", Subject="Mail delivery failed: returning message to "
                              "sender", X_Failed_Recipients="gone@away.example", Auto_Submitted="auto-replied", body=told), ""),
        Labelled("exim read from a mailbox", mail("Return-path: <>", From=f"Mail Delivery System <{_DAEMON}>",
                                                  Subject="Mail delivery failed", body=told), None),
        Labelled("notes", mail(From="Postmaster@corp.example", Subject="DELIVERY FAILURE: User gone not listed", body=told)),
        Labelled("groupwise", mail(From="Mailer-Daemon@corp.example", Subject="Message status - undeliverable", body=told)),
        Labelled("courier", report(_FAILED, sender='"Courier mail server" <postmaster@mx.example>',
                                   subject="NOTICE: mail delivery status."), ""),
        Labelled("imail", mail(From="Mail Administrator <postmaster@mx.example>", Subject="Undeliverable Mail", body=told)),
        Labelled("mdaemon", mail(From="MDaemon@corp.example", Subject="Permanent Delivery Failure", body=told)),
        Labelled("zimbra", report(_FAILED, sender=_DAEMON, subject="Undelivered Mail Returned to Sender"), ""),
        Labelled("amazon", report(_FAILED, sender="MAILER-DAEMON@amazonses.example", subject="Delivery Status Notification"),
                 ""),
        Labelled("mimecast", report(_FAILED, sender="Mimecast <postmaster@mimecast.example>",
                                    subject="[Postmaster] Email Delivery Failure"), ""),
        Labelled("in-house gateway without any mark", mail(From="gateway@corp.example", Subject="Undeliverable: INC-1",
                                                           body="550 5.1.1 no such user here")),
        Labelled("french gateway", mail(From="passerelle@corp.example", Subject="Non remis : INC-1",
                                        body="Le message: 550 5.1.10 destinataire introuvable")),
        Labelled("only an empty return path", mail(From="info@away.example", Subject="Ihre Nachricht"), ""),
        Labelled("only an empty return path in a mailbox", mail("Return-Path: <>", From="info@away.example",
                                                                Subject="Ihre Nachricht"), None),
        Labelled("broken report", mail(From=_DAEMON, Subject="Returned", Content_Type="multipart/report; report-type="
                                       "delivery-status", body="no boundary, no parts"), ""),
        Labelled("utf-8 subject", report(_FAILED, sender="postmaster@corp.example",
                                         subject="=?utf-8?B?VW56dXN0ZWxsYmFyOiBJTkMtMQ==?="), ""),
    ]  # fmt: skip
    receipts = [
        ("read", "Read: INC-1 received", "displayed"), ("gelesen", "Gelesen: INC-1", "displayed"),
        ("deleted", "Not read: INC-1", "deleted"), ("lu", "Lu : INC-1", "displayed"),
    ]  # fmt: skip
    for name, subject, disposition in receipts:
        raw = multipart(
            "report", "Content-Type: text/plain\n\nYour message was read.",
            f"Content-Type: message/disposition-notification\n\nDisposition: manual-action; {disposition}",
            parameters="; report-type=disposition-notification", Subject=subject,
        )  # fmt: skip
        found.append(Labelled(f"receipt {name}", raw))
    return found


def _replies() -> list[Labelled]:
    """Header styles of vacation programs, and subjects of programs that set no header at all."""
    styles: dict[str, tuple[str, ...]] = {
        "rfc 3834": ("Auto-Submitted: auto-replied",),
        "rfc 3834 with a comment": ("Auto-Submitted: auto-replied (vacation)",),
        "sieve": ("Auto-Submitted: auto-replied; owner-email=\"x@y.example\"", "Precedence: bulk"),
        "exchange": ("Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All",
                     "In-Reply-To: <0123456789abcdef0123456789abcdef01234567@127.0.0.1>"),
        "vacation(1)": ("Precedence: bulk", "X-Loop: rita@customer.example",
                        "In-Reply-To: <0123456789abcdef0123456789abcdef01234567@127.0.0.1>"),
        "cpanel": ("X-Autorespond: Re: INC-1", "Precedence: auto_reply", "X-Precedence: auto_reply"),
        "plesk": ("X-Autoreply: YES",),
        "ispconfig": ("X-Autoresponder: ISPConfig",),
        "confixx": ("X-Auto-Reply-From: rita@customer.example",),
        "lotus": ("X-AutoReply-From: Rita",),
        "firstclass": ("X-FC-MachineGenerated: true",),
        "vpopmail": ("Delivered-To: Autoresponder",),
        "outlook web": ("X-POST-MessageClass: 9; Autoresponder",),
        "gmail vacation": ("Precedence: bulk", "X-Autoreply: yes", "Auto-Submitted: auto-replied"),
        "yahoo": ("X-Autogenerated: Reply",),
        "communigate": ("Auto-Submitted: auto-replied", "X-Autogenerated: Reply"),
        "mailenable": ("X-Autoreply-From: <rita@customer.example>",),
        "procmail": ("X-Loop: rita@customer.example", "Precedence: junk",
                     "References: <0123456789abcdef0123456789abcdef01234567@127.0.0.1>"),
        "dash in the precedence": ("Precedence: auto-reply",),
        "hmailserver": ("Auto-Submitted: auto-replied", "X-hMailServer-LoopCount: 1"),
    }  # fmt: skip
    found = [Labelled(name, mail(*lines, Subject="Re: INC-1 received")) for name, lines in styles.items()]
    subjects = [
        "Out of Office: INC-1 received", "Out of the office", "Automatic reply: INC-1", "Auto Reply: I am away",
        "Auto-Response: thanks", "AutoReply", "OOO: back on Monday", "On vacation", "Vacation notice",
        "Thank you for contacting Customer Ltd.", "Automatische Antwort: INC-1", "Abwesenheitsnotiz", "Abwesenheit: INC-1",
        "Abwesenheitsnachricht: Re: INC-1", "Autom. Antwort: INC-1", "Nicht im Büro", "Urlaub: INC-1",
        "Réponse automatique : INC-1", "Absence du bureau : INC-1", "Respuesta automática: INC-1", "Fuera de la oficina",
        "Risposta automatica: INC-1", "Fuori ufficio: INC-1", "Resposta automática: INC-1", "Automatisch antwoord: INC-1",
        "Afwezig: INC-1", "Autosvar: INC-1", "Automatiskt svar: INC-1", "Automaattinen vastaus: INC-1",
        "Autoodpowiedź: INC-1", "Odpowiedź automatyczna: INC-1", "Automatická odpověď: INC-1", "Automatikus válasz: INC-1",
        "Otomatik yanıt: INC-1", "Автоматический ответ: INC-1", "自动回复: INC-1", "自動返信: INC-1", "자동 회신: INC-1",
        "Re: [Auto-Reply] INC-1", "תשובה אוטומטית: INC-1",
    ]  # fmt: skip
    for number, subject in enumerate(subjects):
        # every other one as the programs do it that also set a header, so that the set is not all hard cases
        lines = ("Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All") if number % 2 else ()
        found.append(Labelled(f"subject {subject}", mail(*lines, Subject=subject)))
    return found


def _calendars() -> list[Labelled]:
    found = []
    for name, method, subject in (
        ("accepted", "REPLY", "Accepted: Meeting"), ("declined", "REPLY", "Abgelehnt: Termin"),
        ("proposal", "COUNTER", "New Time Proposed: Meeting"),
    ):  # fmt: skip
        raw = multipart(
            "alternative", "Content-Type: text/plain\n\nRita has answered.",
            f"Content-Type: text/calendar; method={method}\n\nBEGIN:VCALENDAR\nMETHOD:{method}\nEND:VCALENDAR",
            Subject=subject,
        )  # fmt: skip
        found.append(Labelled(f"calendar {name}", raw))
    bare = mail(Content_Type="text/calendar", Subject="Accepted", body="BEGIN:VCALENDAR\nMETHOD:REPLY\nEND:VCALENDAR")
    return [*found, Labelled("calendar alone, method inside", bare)]


def _programs() -> list[Labelled]:
    """Sent by programs of their own accord."""
    styles: dict[str, tuple[str, ...]] = {
        "cron": ("X-Cron-Env: <SHELL=/bin/sh>",),
        "nagios": ("Auto-Submitted: auto-generated",),
        "sieve notify": ("Auto-Submitted: auto-notified",),
        "newsletter": ("List-Unsubscribe: <mailto:x@y.example>", "Precedence: bulk"),
        "mailing list": ("List-Id: <ops.example>", "Precedence: list"),
        "old list": ("Mailing-List: contact ops-help@example; run by ezmlm",),
        "junk": ("Precedence: junk",),
        "exchange transport": ("X-Auto-Response-Suppress: OOF, AutoReply",),
        "jira": ("Auto-Submitted: auto-generated", "Precedence: bulk", "X-JIRA-FingerPrint: 0"),
        "another desk like this": ("X-MIM-Loop: desk.other.example",),
        "mailchimp": ("Feedback-ID: 1:2:3", "List-Unsubscribe: <https://x.example>"),
    }
    found = [Labelled(name, mail(*lines, Subject="Disk full on db1")) for name, lines in styles.items()]
    senders = ("noreply@shop.example", "no-reply@shop.example", "do_not_reply@shop.example", "donotreply@shop.example")
    return found + [Labelled(one, mail(From=one, Subject="Your order")) for one in senders]


def _own() -> list[Labelled]:
    return [
        Labelled("our loop header", mail("X-MIM-Loop: 127.0.0.1", Subject="INC-1 received")),
        Labelled("our Message-ID", mail("Message-ID: <0123456789abcdef0123456789abcdef01234567@127.0.0.1>")),
        Labelled("our address", mail(From="Service desk <servicedesk@localhost>")),
        Labelled("our address with a plus", mail(From="ServiceDesk+inc-1-x@localhost")),
    ]


AUTOMATIC = {
    "own": _own(),
    "bounce": [one for one in _bounces() if not one.name.startswith("receipt")],
    "receipt": [one for one in _bounces() if one.name.startswith("receipt")],
    "reply": _replies(),
    "calendar": _calendars(),
    "generated": _programs(),
}
"""By the kind each should be recognised as."""

_HUMAN_SUBJECTS = (
    "Cannot pay", "Re: INC-1 received: Cannot pay", "", "Out of office assistant does not work", "Printer on vacation mode",
    "Delivery failure of parcels at the checkout", "Mail delivery is slow", "Automatic reply cannot be switched off in Outlook",
    "Urlaubsantrag funktioniert nicht", "FW: Undeliverable: your order", "Abwesenheitsassistent lässt sich nicht öffnen",
    "Undeliverable mails since this morning", "Absence management is down", "User unknown error when I sign in",
    "Rejected card payments", "Réponse trop lente", "Thank you for fixing it", "VPN", "自動販売機が壊れた", "Ошибка входа",
    "Auto reply in the shop chat is wrong", "Warning: could not sign in", "Read: the manual does not help",
    "Accepted: card is charged twice", "Returned parcels are not booked", "Vacation calendar shows wrong days",
)  # fmt: skip
HUMAN = [
    *[Labelled(f"subject {subject}", mail(Subject=subject), "rita@customer.example") for subject in _HUMAN_SUBJECTS],
    Labelled("says that it is not automatic", mail("Auto-Submitted: no"), "rita@customer.example"),
    Labelled("explicitly no autoreply", mail("X-Autoreply: no"), "rita@customer.example"),
    Labelled("first-class", mail("Precedence: first-class"), "rita@customer.example"),
    Labelled("phone", mail("X-Mailer: iPhone Mail (20F66)", "Mime-Version: 1.0 (1.0)"), "rita@customer.example"),
    Labelled("outlook", mail("X-Mailer: Microsoft Outlook 16.0", "Thread-Index: Adn=", "X-Priority: 1"), None),
    Labelled("named like a daemon", mail(From="Bounce Castle Ltd <rita@customer.example>"), "rita@customer.example"),
    Labelled("invitation", mail(Content_Type="text/calendar; method=REQUEST", Subject="Meeting", body="BEGIN:VCALENDAR"),
             "rita@customer.example"),
    Labelled("no Message-ID, no date", mail(), "rita@customer.example"),
]  # fmt: skip
"""Written by people; none of these may be taken for anything else."""
