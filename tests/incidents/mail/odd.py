"""Odd, broken and hostile mails: (name, raw, expectations). Every one has to survive, most of them as a ticket.

Expectations: `subject`, `text` (a part of it), `sender`, `files` (names), `state`; what is not named is not asked.
"""
# ruff: noqa: E501 - a mail reads better on its line

import base64
from typing import Any

from tests.incidents.mail.mails import mail, multipart, parts

SCRIPT = "<script>alert(document.domain)</script>"
ODD: list[tuple[str, bytes, dict[str, Any]]] = []


def odd(name: str, raw: bytes, **expected: Any) -> None:
    ODD.append((name, raw, expected))


def text(charset: str, content: bytes, **headers: str) -> bytes:
    return mail(
        Content_Type=f"text/plain; charset={charset}", Content_Transfer_Encoding="8bit", body=content, **headers
    )


# --- Charsets ---------------------------------------------------------------------------------------
odd("utf-8", text("utf-8", "Zahlung geht nicht: größer ✓".encode()), text="größer ✓")
odd("latin-1 that is windows", text("iso-8859-1", "“Quotes” – dash".encode("cp1252")), text="“Quotes” – dash")
odd("windows-1252", text("windows-1252", "Zahl€n".encode("cp1252")), text="Zahl€n")
odd("koi8-r", text("koi8-r", "Не работает".encode("koi8-r")), text="Не работает")
odd("shift_jis", text("Shift_JIS", "支払いができません".encode("shift_jis")), text="支払いができません")
odd("iso-2022-jp", text("ISO-2022-JP", "動きません".encode("iso-2022-jp")), text="動きません")
odd("gb2312 with gbk characters", text("gb2312", "無法付款".encode("gb18030")), text="無法付款")
odd("big5", text("big5", "無法付款".encode("big5")), text="無法付款")
odd("euc-kr named ks_c_5601-1987", text("ks_c_5601-1987", "결제 안됨".encode("cp949")), text="결제 안됨")
odd("iso-8859-8-i", text("iso-8859-8-i", "לא עובד".encode("iso-8859-8")), text="לא עובד")
odd("utf-16", text("utf-16", "Cannot pay ä".encode("utf-16")), text="Cannot pay ä")
odd("utf8mb4", text("utf8mb4", "Emoji 🙈".encode()), text="Emoji 🙈")
odd("unknown charset", text("x-klingon", "Zahlung größer".encode()), text="Zahlung größer")
odd("charset that is a codec but no text", text("base64", b"Cannot pay"), text="Cannot pay")
odd("charset rot13", text("rot13", b"Cannot pay"), text="Cannot pay")
odd("charset that takes quadratic time", text("punycode", b"a" * 200_000), text="aaa")
odd("charset of 5,000 letters", text("u" * 5000, b"Cannot pay"), text="Cannot pay")
odd("ascii that lies", text("us-ascii", "größer".encode()), text="größer")
odd("ascii that lies in latin-1", text("us-ascii", "größer".encode("latin-1")), text="größer")
odd("half a character at the end", text("utf-8", "größe".encode()[:-1] + b"\xc3"), text="grö")
odd("no charset, eight bits", mail(body="größer".encode()), text="größer")
odd("nul and control signs", text("utf-8", b"Can\x00not\x07 pay\x1b[31m"), text="Cannot pay")
odd("direction overrides", text("utf-8", "Pay ‮fdp.exe".encode()), text="Pay fdp.exe")
odd("lone surrogates", text("utf-8", b"Pay \xed\xa0\x80 now"), text="Pay")
odd("zero-width joiners stay", text("utf-8", "Family 👨‍👩‍👧".encode()), text="👨‍👩‍👧")

# --- Headers -----------------------------------------------------------------------------------------
odd("encoded subject", mail(Subject="=?utf-8?Q?Zahlung_gr=C3=B6=C3=9Fer?="), subject="Zahlung größer")
odd(
    "subject in two words, a character cut in two",
    mail(Subject="=?utf-8?B?R3LDtsM=?= =?utf-8?B?n2Vy?="),
    subject="Größer",
)
odd("subject in two charsets", mail(Subject="=?iso-8859-1?Q?Gr=F6=DFe?= =?utf-8?B?4oKs?="), subject="Größe€")
odd("subject with raw utf-8", mail(Subject="Größer ✓"), subject="Größer ✓")
odd("subject with raw latin-1", mail().replace(b"Cannot pay", "Größer".encode("latin-1")), subject="Größer")
odd("subject that is broken base64", mail(Subject="=?utf-8?B?R3L!!w?= pay"), subject="Gr")
odd("subject in an unknown charset", mail(Subject="=?x-none?Q?Gr=C3=B6=C3=9Fer?="), subject="Größer")
odd("subject folded", mail(Subject="Cannot\r\n pay\r\n\ttoday"), subject="Cannot pay today")
odd("subject of 30,000 letters", mail(Subject="y" * 30_000), subject="yyy")
odd("subject with line breaks inside the word", mail(Subject="=?utf-8?Q?a=0D=0ABcc:_x@y?="), subject="a Bcc: x@y")
odd("two subjects", mail("Subject: Second"), subject="Cannot pay")
odd("no subject", mail(Subject=""), text="It does not work.", state="ticket")
odd("no From", mail(From=""), sender="", state="ticket")
odd("From without an address", mail(From="Rita"), sender="", state="ticket")
odd("From with a comma in the name", mail(From='"Doe, Rita" <rita@customer.example>'), sender="rita@customer.example")
odd(
    "From with an encoded comma",
    mail(From="=?utf-8?Q?Doe=2C_Rita?= <rita@customer.example>"),
    sender="rita@customer.example",
)
odd(
    "From of two people",
    mail(From="Rita <rita@customer.example>, Max <max@customer.example>"),
    sender="rita@customer.example",
)
odd("From that only a group", mail(From="undisclosed-recipients:;"), sender="", state="ticket")
odd("From of a printer", mail(From="root@printer7"), sender="root@printer7", state="ticket")
odd("From with quotes gone wrong", mail(From='"Rita <rita@customer.example>'), state="ticket")
odd("From of an international address", mail(From="Jürgen <jürgen@müller.example>"), state="ticket")
odd("no headers at all", b"\r\nJust words.\r\n", text="Just words.", state="ticket")
odd("no blank line", b"From: rita@customer.example\r\nSubject: Only headers", subject="Only headers", state="ticket")
odd("only line feeds", mail().replace(b"\r\n", b"\n"), subject="Cannot pay", text="It does not work.")
odd("only carriage returns", mail().replace(b"\r\n", b"\r"), state="ticket")
odd("a line of mbox in front", b"From rita Mon Mar  4 09:00:00 2024\r\n" + mail(), subject="Cannot pay")
odd("a thousand headers", mail(*[f"X-Header-{n}: {n}" for n in range(1000)]), subject="Cannot pay")
odd("a header of a megabyte", mail("X-Long: " + "y" * 1_000_000), subject="Cannot pay", text="It does not work.")
odd("a date of the year 9999", mail(Date="Fri, 31 Dec 9999 23:59:59 +9999"), state="ticket")
odd("a Message-ID of 5,000 letters", mail(Message_ID=f"<{'m' * 5000}@x>"), state="ticket")

# --- Bodies -------------------------------------------------------------------------------------------
odd(
    "html alone, with a script",
    mail(Content_Type="text/html", body=f"<p>Cannot <b>pay</b></p>{SCRIPT}<style>p{{}}</style>"),
    text="Cannot pay",
)
odd(
    "html with events and frames",
    mail(
        Content_Type="text/html",
        body=(
            '<img src=x onerror="alert(1)" alt="A picture"><iframe src="https://evil.example"></iframe>'
            '<a href="javascript:alert(1)">Click</a><svg onload=alert(1)>Pay</svg>'
        ),
    ),
    text="Click",
)
odd(
    "html and an empty plain part",
    multipart("alternative", "Content-Type: text/plain\n\n \n", "Content-Type: text/html\n\n<p>Only here</p>"),
    text="Only here",
)
odd(
    "plain beats html",
    multipart("alternative", "Content-Type: text/plain\n\nPlain words", "Content-Type: text/html\n\n<p>Other</p>"),
    text="Plain words",
)
odd(
    "html of two megabytes",
    mail(Content_Type="text/html", body="<div>" * 200_000 + "Pay" + "<br>" * 100_000),
    state="ticket",
)
odd("html entities", mail(Content_Type="text/html", body="<p>5 &lt; 6 &amp; &euro;</p>"), text="5 < 6 & €")
odd(
    "html as utf-16",
    mail(Content_Type="text/html; charset=utf-16", body="<p>Größer</p>".encode("utf-16")),
    text="Größer",
)
odd(
    "quoted-printable",
    mail(
        Content_Transfer_Encoding="quoted-printable",
        Content_Type="text/plain; charset=utf-8",
        body="gr=C3=B6=C3=9Fer=\n als",
    ),
    text="größer als",
)
odd("quoted-printable broken", mail(Content_Transfer_Encoding="quoted-printable", body="100=% =ZZ ="), text="100")
odd(
    "base64 text",
    mail(Content_Transfer_Encoding="base64", body=base64.b64encode(b"Cannot pay").decode()),
    text="Cannot pay",
)
odd("base64 broken", mail(Content_Transfer_Encoding="base64", body="Q2Fubm90!!!IHBheQ"), state="ticket")
odd("unknown transfer encoding", mail(Content_Transfer_Encoding="x-zip", body="Cannot pay"), text="Cannot pay")
odd(
    "uuencoded inside",
    mail(Content_Transfer_Encoding="x-uuencode", body="begin 644 a.txt\n#0V%T\n`\nend"),
    state="ticket",
)
odd("one line of 300,000 letters", mail(body="word " * 60_000), state="ticket")
odd("20,000 brackets", mail(body="[" * 20_000), state="ticket")
odd("markdown and html in plain text", mail(body=f"# Big\n{SCRIPT}\n[x](javascript:alert(1))"), text="# Big")
odd("type without a subtype", mail(Content_Type="text", body="Cannot pay"), text="Cannot pay")
odd("type that is none", mail(Content_Type="~~~;;;=", body="Cannot pay"), text="Cannot pay")
odd(
    "encrypted",
    multipart(
        "encrypted",
        "Content-Type: application/pgp-encrypted\n\nVersion: 1",
        "Content-Type: application/octet-stream; name=encrypted.asc\n\n-----BEGIN PGP MESSAGE-----",
    ),
    files=["file-1.pgp", "encrypted.asc"],
)
odd(
    "signed",
    multipart(
        "signed",
        "Content-Type: text/plain\n\nSigned words",
        "Content-Type: application/pkcs7-signature; name=smime.p7s\n\nMIIB",
    ),
    text="Signed words",
)

# --- Structure ------------------------------------------------------------------------------------------
odd("boundary never closed", multipart("mixed", "Content-Type: text/plain\n\nWords", end=False), text="Words")
odd(
    "boundary that never comes",
    mail(Content_Type='multipart/mixed; boundary="nope"', body="Words all the same"),
    text="Words all the same",
)
odd(
    "multipart without a boundary",
    mail(Content_Type="multipart/mixed", body="Words all the same"),
    text="Words all the same",
)
odd(
    "boundary of 5,000 letters",
    mail(Content_Type=f'multipart/mixed; boundary="{"b" * 5000}"', body="Words"),
    state="ticket",
)
odd("empty parts", multipart("mixed", "", "", "Content-Type: text/plain\n\nWords"), text="Words")
odd(
    "text before the first part",
    mail(
        Content_Type='multipart/mixed; boundary="XyZ"',
        body=b"This is MIME.\r\n" + parts("mixed", "Content-Type: text/plain\n\nWords"),
    ),
    text="Words",
)


def _nested(depth: int) -> bytes:
    inner = "Content-Type: text/plain\n\nDeep words"
    for level in range(depth):
        boundary = f"b{level}"
        inner = f'Content-Type: multipart/mixed; boundary="{boundary}"\n\n--{boundary}\n{inner}\n--{boundary}--'
    return f"From: rita@customer.example\nSubject: Deep\n{inner}".replace("\n", "\r\n").encode()


odd("nested thirty times", _nested(30), text="Deep words")
odd("nested two hundred times", _nested(200), subject="Deep")
odd("nested two thousand times", _nested(2000), subject="Deep")
odd("ten thousand parts", multipart("mixed", *["Content-Type: text/plain\n\nx"] * 10_000), state="ticket")
odd(
    "a mail inside a mail",
    multipart("mixed", "Content-Type: message/rfc822\n\nFrom: max@x.example\nSubject: Inner\n\nInner words"),
    text="Inner words",
    files=["Inner.eml"],
)
odd(
    "a mail inside a mail, ten deep",
    mail(
        Content_Type="message/rfc822",
        body=("Subject: a\nContent-Type: message/rfc822\n\n" * 10 + "Subject: last\n\nLast words"),
    ),
    state="ticket",
)
odd(
    "a mail inside base64",
    multipart(
        "mixed",
        "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
        + base64.b64encode(b"Subject: Inner\r\n\r\nInner words").decode(),
    ),
    state="ticket",
)
odd(
    "message/partial",
    mail(Content_Type='message/partial; number=1; total=2; id="x"', body="Subject: y\n\nPart one"),
    state="ticket",
)

# --- Files ------------------------------------------------------------------------------------------------
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def with_file(head: str, content: str = "a,b") -> bytes:
    return multipart("mixed", "Content-Type: text/plain\n\nSee the file.", f"{head}\n\n{content}")


odd("name with folders", with_file('Content-Type: text/csv; name="../../etc/passwd.csv"'), files=["passwd.csv"])
odd("name for windows", with_file('Content-Type: text/csv; name="C:\\\\temp\\\\a.csv"'), files=["a.csv"])
odd(
    "name encoded by rfc 2231",
    with_file("Content-Type: text/csv\nContent-Disposition: attachment; filename*=utf-8''gr%C3%B6%C3%9Fe.csv"),
    files=["größe.csv"],
)
odd(
    "name in pieces",
    with_file("Content-Type: text/csv\nContent-Disposition: attachment; filename*0=lo; filename*1=ng.csv"),
    files=["long.csv"],
)
odd(
    "name encoded as a header word",
    with_file('Content-Type: text/csv; name="=?utf-8?Q?gr=C3=B6=C3=9Fe.csv?="'),
    files=["größe.csv"],
)
odd("name of line breaks", with_file('Content-Type: text/csv; name="=?utf-8?Q?a=0D=0Ab.csv?="'), files=["a b.csv"])
odd("name of 2,000 letters", with_file(f'Content-Type: text/csv; name="{"n" * 2000}.csv"'), state="ticket")
odd(
    "name in a wrong charset",
    with_file("Content-Type: text/csv\nContent-Disposition: attachment; filename*=x-none''a%FF.csv"),
    state="ticket",
)
odd(
    "a picture in the text",
    multipart(
        "related",
        'Content-Type: text/html\n\n<p>Look</p><img src="cid:1">',
        f"Content-Type: image/png\nContent-ID: <1>\nContent-Disposition: inline\nContent-Transfer-Encoding: base64\n\n{PNG}",
    ),
    text="Look",
    files=["image-1.png"],
)
odd(
    "winmail.dat",
    with_file('Content-Type: application/ms-tnef; name="winmail.dat"', 'x\x9f>"secret'),
    files=["winmail.dat"],
)
odd(
    "an invitation",
    multipart(
        "alternative",
        "Content-Type: text/plain\n\nLet us meet.",
        "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nMETHOD:REQUEST",
    ),
    files=["invite.ics"],
)
odd("html as a file", with_file("Content-Type: text/html; name=page.html", SCRIPT), files=["page.html"])
odd(
    "a file alone",
    mail(Content_Type='image/png; name="shot.png"', Content_Transfer_Encoding="base64", body=PNG),
    files=["shot.png"],
)
odd(
    "sixty files",
    multipart("mixed", *[f"Content-Type: text/csv; name=f{n}.csv\n\nx" for n in range(60)]),
    state="ticket",
)
odd("an empty file", with_file("Content-Type: text/csv; name=empty.csv", ""), files=[], state="ticket")

# --- Nothing at all ---------------------------------------------------------------------------------------
odd("no byte", b"", state="quarantined")
odd("one line feed", b"\n", state="quarantined")
odd("a hundred zero bytes", b"\x00" * 100, state="quarantined")
odd("noise", bytes(range(256)) * 50, state="ticket")
odd("a zip instead of a mail", b"PK\x03\x04" + bytes(range(256)) * 20, state="ticket")
