"""What callers said: fetched by a worker with the account's credentials, kept once, or said why not."""

import base64
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.db import connection
from django.utils import timezone

from incidents.actions import phone_calls
from incidents.intake.voice import recordings
from incidents.models import Integration, PhoneCall, RecordingState, Ticket
from tests.incidents.voice.provider import ACCOUNT, TOKEN, Provider, the_call

MP3 = b"ID3\x04\x00\x00\x00\x00\x00\x00" + bytes(range(256)) * 800


@contextmanager
def provider_with_recordings(status=200, body=MP3):
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers.get("Authorization")))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/Recordings/RE1", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def loopback(line, settings):
    settings.OUTGOING_HTTP, settings.OUTGOING_NETWORKS = True, ["127.0.0.0/8"]
    Integration.objects.update(settings={"account_sid": ACCOUNT, "recording_hosts": ["127.0.0.1"]})


@pytest.mark.django_db(transaction=True)
def test_the_recording_is_fetched_with_the_accounts_credentials_and_kept_once(loopback):
    with provider_with_recordings() as (url, asked):
        Provider().record(url=url)
        assert asked == [], "never while the provider waits for the answer"
        assert recordings.fetch_due(at=timezone.now()) == 1
        assert recordings.fetch_due(at=timezone.now() + timedelta(hours=1)) == 0
    credentials = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    assert asked == [("/Recordings/RE1.mp3", f"Basic {credentials}")]
    kept = Ticket.objects.get().attachments.get()
    assert kept.content_type == "audio/mpeg" and kept.filename.endswith(".mp3") and kept.file.read() == MP3
    assert the_call().attachment == kept and the_call().recording_state == RecordingState.FETCHED


@pytest.mark.django_db(transaction=True)
def test_a_provider_that_fails_is_asked_again_later_and_at_last_the_ticket_says_so(loopback):
    at = timezone.now()
    with provider_with_recordings(status=503, body=b"") as (url, asked):
        Provider().record(url=url)
        for _ in range(phone_calls.MOST_ATTEMPTS):
            at += timedelta(hours=7)
            recordings.fetch_due(at=at)
    assert len(asked) == phone_calls.MOST_ATTEMPTS
    assert the_call().recording_state == RecordingState.FAILED
    assert "could not be fetched: The provider answered 503" in Ticket.objects.get().comments.get().text


@pytest.mark.django_db(transaction=True)
def test_between_two_attempts_there_is_a_pause(loopback):
    with provider_with_recordings(status=404, body=b"") as (url, asked):
        Provider().record(url=url)
        at = timezone.now()
        recordings.fetch_due(at=at)
        recordings.fetch_due(at=at + timedelta(seconds=5))
        assert len(asked) == 1
        recordings.fetch_due(at=at + timedelta(seconds=20))
    assert len(asked) == 2


@pytest.mark.django_db(transaction=True)
def test_credentials_go_to_no_other_host(line, settings):
    settings.OUTGOING_HTTP, settings.OUTGOING_NETWORKS = True, ["127.0.0.0/8"]
    with provider_with_recordings() as (url, asked):
        Provider().record(url=url)
        recordings.fetch_due(at=timezone.now())
    assert asked == []
    assert "credentials were not sent" in Ticket.objects.get().comments.get().text


@pytest.mark.django_db(transaction=True)
def test_a_recording_that_is_too_large_or_no_sound_is_not_kept(loopback, settings):
    settings.ATTACHMENT_MAX_BYTES = 1024
    with provider_with_recordings() as (url, _):
        Provider(sid="CA1").record(url=url)
        recordings.fetch_due(at=timezone.now())
    with provider_with_recordings(body=b"MZ\x00\x01\x02") as (url, _):
        Provider(sid="CA2").record(url=url)
        recordings.fetch_due(at=timezone.now())
    assert {call.recording_state for call in PhoneCall.objects.all()} == {"failed"}
    assert not any(ticket.attachments.exists() for ticket in Ticket.objects.all())


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_not_fetch_the_same_recording(loopback):
    with provider_with_recordings() as (url, asked):
        Provider().record(url=url)
        at = timezone.now()
        first = phone_calls.claim_recording(at=at)
        assert first is not None and phone_calls.claim_recording(at=at) is None
        assert recordings.fetch_due(at=at + timedelta(seconds=61)) == 1
        phone_calls.keep_recording(first.pk, content=MP3, at=at)
    assert Ticket.objects.get().attachments.count() == 1


@pytest.mark.django_db(transaction=True)
def test_eight_repetitions_at_once_are_one_ticket(line):
    barrier = threading.Barrier(8)

    def ask():
        try:
            barrier.wait()
            Provider().record()
        finally:
            connection.close()

    asking = [threading.Thread(target=ask) for _ in range(8)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    assert Ticket.objects.count() == 1 and PhoneCall.objects.count() == 1
