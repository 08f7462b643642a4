"""Files: what they are is read from their content; names cannot deceive; nothing is ever served inline."""

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from incidents.actions.ticket_files import attach, content_type_of, safe_name
from incidents.errors import Invalid

PNG = b"\x89PNG\r\n\x1a\n"
SCRIPT = b"<script>alert(document.domain)</script>"


def archive(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as zipped:
        for name in names:
            zipped.writestr(name, b"x")
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (PNG + bytes(8), "image/png"),
        (b"\xff\xd8\xff\xe0JFIF", "image/jpeg"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"BM\x36\x00\x0c\x00\x00\x00\x00\x00\x36\x00", "image/bmp"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (b"\x00\x00\x00\x18ftypisom", "video/mp4"),
        (b"%PDF-1.7\n", "application/pdf"),
        (archive("notes.txt"), "application/zip"),
        (
            archive("word/document.xml"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (b"ID3\x04\x00", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        ("Zeile mit Ümlaut".encode(), "text/plain"),
        ("Zeile mit Ümlaut".encode("latin-1"), "text/plain"),
        ("﻿PowerShell".encode("utf-16-le"), "text/plain"),
        (b"BMW is a title that begins like a bitmap", "text/plain"),
        (b"MZ is a title that begins like a program", "text/plain"),
        (b"<html>" + SCRIPT + b"</html>", "text/plain"),
        (b'<svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT + b"</svg>", "text/plain"),
        (b'<?xml version="1.0"?><svg onload="alert(1)"/>', "text/plain"),
    ],
)
def test_the_type_is_read_from_the_content(content, expected):
    assert content_type_of(content) == expected


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\x00\x03\x00\x00\x00",
        b"\x7fELF\x02\x01\x01",
        b"\xca\xfe\xba\xbe\x00\x00\x004",
        b"\xcf\xfa\xed\xfe\x07\x00",
        b"#!/bin/sh\nrm -rf /\n",
        b"\x00\x01\x02\x03 nobody knows what this is",
        b"RIFF\x10\x00\x00\x00SFMT",
    ],
)
def test_programs_and_what_nobody_knows_are_refused(content):
    with pytest.raises(Invalid) as refusal:
        content_type_of(content)
    assert "ZIP" in refusal.value.message


@pytest.mark.parametrize(
    ("polyglot", "expected"),
    [
        (b"GIF89a/*" + SCRIPT + b"*/=1;", "image/gif"),
        (PNG + SCRIPT, "image/png"),
        (b"\xff\xd8\xff\xfe\x00\x20*/" + SCRIPT, "image/jpeg"),
        (b"%PDF-1.4\n" + SCRIPT + archive("evil.class"), "application/pdf"),
        (archive("index.html") + SCRIPT, "application/zip"),
    ],
)
def test_a_file_that_is_two_things_at_once_is_what_it_begins_as_and_never_a_page(
    polyglot, expected, ticket, client, requester
):
    kept = attach(ticket.pk, file=SimpleUploadedFile("x.html", polyglot), actor=requester, at=timezone.now())
    client.force_login(requester)
    answer = client.get(reverse("attachment", args=[kept.uuid]))
    assert answer["Content-Type"] == expected
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert b"".join(answer) == polyglot


@pytest.fixture
def ticket(requester):
    from tests import factories

    return factories.ticket(channel="portal", actor=requester)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\shot.png", "shot.png"),
        ("shot\r\nSet-Cookie: a=b.png", "shot Set-Cookie_ a=b.png"),
        ("invoice\u202egnp.exe", "invoicegnp.exe"),
        ("a\u200bb\ufeff.txt", "ab.txt"),
        ("run.exe\u00a0", "run.exe"),
        ("run.exe. . ", "run.exe"),
        ("nul\x00l.txt", "null.txt"),
        ('a"b;c.txt', "a_b;c.txt"),
        ("", "file"),
        ("...", "file"),
        ("\u202e", "file"),
        ("\ud800.txt", "txt"),
        ("Zürich – 東京.png", "Zürich – 東京.png"),
    ],
)
def test_names_are_one_line_without_paths_and_without_deceit(given, expected):
    assert safe_name(given) == expected


def test_a_very_long_name_keeps_its_end():
    name = safe_name("x" * 5000 + ".png")
    assert len(name) <= 200 and name.endswith(".png")
    assert len(safe_name("x." + "y" * 5000)) <= 200


@pytest.mark.parametrize("name", ["invoice.pdf.exe", "invoice\u202efdp.exe", "run.EXE ", "x.lnk", "y.jar", "z.hta"])
def test_a_program_by_name_is_refused_whatever_is_in_it(name, ticket, requester):
    with pytest.raises(Invalid):
        attach(ticket.pk, file=SimpleUploadedFile(name, b"harmless text"), actor=requester, at=timezone.now())


def test_a_download_names_the_file_in_one_header_line(ticket, client, requester):
    hostile = 'é"; filename=evil.html\r\nX-Evil: 1.png'
    kept = attach(ticket.pk, file=SimpleUploadedFile(hostile, PNG + b"1"), actor=requester, at=timezone.now())
    client.force_login(requester)
    answer = client.get(reverse("attachment", args=[kept.uuid]))
    assert "X-Evil" not in answer.headers
    assert "\n" not in answer["Content-Disposition"]
    assert kept.file.name.endswith(str(kept.uuid)), "stored under its UUID, not under its name"
