"""Teams, Mattermost, Matrix, Telegram, ntfy and what goes through apprise, each against a server that speaks it."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.actions import downtime
from incidents.outgoing import OutgoingRefused, pause_asked
from notifications import delivery
from notifications.channels import apprise
from notifications.models import ChannelAccount, ContactPoint, ContactSettings, Delivery, Destination, PlaceThread
from tests.notifications.conftest import declare
from tests.notifications.loopback import serving

pytestmark = pytest.mark.django_db
TELEGRAM = "123456:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


@pytest.fixture(autouse=True)
def outgoing_open(settings):
    settings.OUTGOING_HTTP, settings.OUTGOING_NETWORKS = True, ["127.0.0.0/8"]


def place(channel, address="", **secrets):
    row = Destination(
        name=channel, channel=channel, address=address, audiences=["technical"], changed_at=timezone.now()
    )
    row.keep_secrets(secrets)
    row.save()
    return row


def account(channel, settings, **secrets):
    row = ChannelAccount(channel=channel, settings=settings, changed_at=timezone.now())
    row.keep_secrets(secrets)
    row.save()


def send(channel):
    Delivery.objects.filter(state="queued").update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    delivery.deliver_due(seconds=10, only=[channel])
    return Delivery.objects.filter(channel=channel, moment="declared").order_by("-id").first()


def told(channel, people, checkout, **fields):
    """Declares and sends; the delivery of the declaration."""
    declare(people["manager"], checkout, **fields)
    return send(channel)


# --- Webhooks ---------------------------------------------------------------------------------
def test_teams_gets_an_adaptive_card_and_a_title_of_a_stranger_is_no_link(people, checkout):
    with serving(lambda asked: (202, b"", {})) as (url, asked):
        place("teams", url=f"{url}/workflows/abcdefgh?sig=topsecretsig")
        row = told("teams", people, checkout, title="See [here](https://evil.example) **now**")
    card = next(one.json for one in asked if "declared" in one.body.decode())["attachments"][0]
    assert (row.state, row.answer) == ("delivered", "202")
    assert asked[0].query == {"sig": "topsecretsig"}
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert (card["content"]["type"], card["content"]["version"]) == ("AdaptiveCard", "1.4")
    assert "\\[here\\](https://evil.example)" in card["content"]["body"][0]["text"]
    assert {"title": "Severity", "value": "SEV1"} in card["content"]["body"][1]["facts"]
    assert card["content"]["actions"][0]["url"].endswith(f"/major-incidents/{row.incident.ref}/")


def test_mattermost_gets_an_attachment_and_nobody_is_called_by_a_title(people, checkout):
    with serving(lambda asked: (200, b"ok", {})) as (url, asked):
        place("mattermost", url=f"{url}/hooks/xyz")
        row = told("mattermost", people, checkout, title="Down @channel")
    said = next(one.json for one in asked if "declared" in one.body.decode())["attachments"][0]
    assert row.answer == "200 ok"
    assert "@channel" not in said["title"] and "Down" in said["title"]
    assert {"title": "Affected", "value": "Checkout", "short": True} in said["fields"]


@pytest.mark.parametrize(
    ("status", "headers", "state", "words"),
    [
        (404, {}, "failed", "gone"),
        (410, {}, "failed", "gone"),
        (302, {"Location": "http://127.0.0.1:1/"}, "failed", "not followed"),
        (429, {"Retry-After": "90"}, "queued", "429"),
        (500, {}, "queued", "500"),
    ],
    ids=["404", "410", "redirect", "429", "500"],
)
def test_what_a_webhook_refuses_is_blamed_on_the_place(people, checkout, status, headers, state, words):
    with serving(lambda asked: (status, b"xyzsecretpath is what you asked", headers)) as (url, _):
        room = place("teams", url=f"{url}/xyzsecretpath")
        row = told("teams", people, checkout)
    room.refresh_from_db()
    assert (row.state, room.failures_in_row > 0) == (state, True)
    assert words in row.reason
    assert "xyzsecretpath" not in row.reason, "the address is a secret, also where the provider repeats it"
    assert not ChannelAccount.objects.filter(channel="teams").exists()
    if status == 429:
        assert row.next_attempt_at > timezone.now() + timedelta(seconds=80)


def test_a_place_in_the_private_network_is_refused_when_it_is_sent(people, checkout, settings):
    settings.OUTGOING_NETWORKS = []
    with serving(lambda asked: (200, b"ok", {})) as (url, asked):
        place("mattermost", url=f"{url}/hooks/xyz")
        row = told("mattermost", people, checkout)
    assert (row.state, asked) == ("failed", [])
    assert "not a public address" in row.reason


@pytest.mark.parametrize("how", ["switched off", "removed", "channel off"])
def test_what_was_queued_for_a_place_that_is_off_does_not_leave(people, checkout, how):
    with serving(lambda asked: (200, b"ok", {})) as (url, asked):
        room = place("mattermost", url=f"{url}/hooks/xyz")
        declare(people["manager"], checkout)
        if how == "removed":
            room.delete()
        elif how == "switched off":
            Destination.objects.update(is_enabled=False)
        else:
            ChannelAccount.objects.create(channel="mattermost", is_enabled=False, changed_at=timezone.now())
        row = send("mattermost")
    assert (row.state, asked) == ("failed", [])
    assert how.split()[-1] in row.reason
    assert not Destination.objects.filter(failures_in_row__gt=0).exists(), "nobody was asked, so nobody failed"


# --- Matrix -----------------------------------------------------------------------------------
class Homeserver:
    """Keeps each transaction once, as the specification says."""

    def __init__(self):
        self.events, self.fail_after_taking, self.refuse = {}, 0, []

    def __call__(self, asked):
        if asked.headers.get("authorization") != "Bearer syt_right":
            return 401, {"errcode": "M_UNKNOWN_TOKEN", "error": "no"}, {}
        if self.refuse:
            return self.refuse.pop(0)
        assert asked.method == "PUT"
        event = self.events.setdefault(asked.path, {**asked.json, "event_id": f"$event{len(self.events)}"})
        if self.fail_after_taking:
            self.fail_after_taking -= 1
            return 502, b"gateway", {}
        return 200, {"event_id": event["event_id"]}, {}


@pytest.fixture
def homeserver():
    fake = Homeserver()
    with serving(fake) as (url, asked):
        fake.asked = asked
        account("matrix", {"base_url": url}, access_token="syt_right")  # noqa: S106
        place("matrix", "!abc:example.org")
        yield fake


def test_matrix_gets_each_message_once_and_the_later_ones_in_the_thread_of_the_first(people, checkout, homeserver):
    homeserver.fail_after_taking = 1
    incident = declare(people["manager"], checkout, title="<script>")
    send("matrix")
    send("matrix")
    first = list(homeserver.events.values())[0]
    assert len([one for one in homeserver.events.values() if "declared" in one["body"]]) == 1
    assert "&lt;script&gt;" in first["formatted_body"] and first["m.mentions"] == {}
    assert homeserver.asked[0].path.startswith("/_matrix/client/v3/rooms/%21abc%3Aexample.org/send/m.room.message/")
    downtime.restore(incident.pk, actor=people["manager"], at=timezone.now())
    send("matrix")
    later = list(homeserver.events.values())[-1]
    head = PlaceThread.objects.get().head
    assert later["m.relates_to"]["rel_type"] == "m.thread" and later["m.relates_to"]["event_id"] == head
    assert "m.relates_to" not in first or len(homeserver.events) > 1


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        ((403, {"errcode": "M_FORBIDDEN"}, {}), "queued", "not in this room"),
        ((404, {"errcode": "M_NOT_FOUND"}, {}), "failed", "no such room"),
        ((429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 95000}, {}), "queued", "slow down"),
    ],
    ids=["forbidden", "not-found", "limit"],
)
def test_a_refusal_of_a_homeserver_is_in_words(people, checkout, homeserver, answer, state, words):
    homeserver.refuse = [answer] * 5
    row = told("matrix", people, checkout)
    assert row.state == state
    assert words in row.reason
    if answer[0] == 429:
        assert row.next_attempt_at > timezone.now() + timedelta(seconds=80)


# --- Telegram ---------------------------------------------------------------------------------
@pytest.fixture
def telegram():
    kept, refuse = [], []

    def answer(asked):
        if asked.path != f"/bot{TELEGRAM}/sendMessage":
            return 404, {"ok": False, "error_code": 404, "description": "Not Found"}, {}
        if refuse:
            return refuse.pop(0)
        kept.append(asked.json)
        return 200, {"ok": True, "result": {"message_id": 40 + len(kept)}}, {}

    with serving(answer) as (url, _):
        account("telegram", {"base_url": url}, bot_token=TELEGRAM)
        yield kept, refuse


def test_telegram_gets_escaped_markup_and_answers_to_the_first_message(people, checkout, telegram):
    kept, _ = telegram
    place("telegram", "-100123")
    incident = declare(people["manager"], checkout, title="a <b> & c")
    send("telegram")
    assert kept[0]["chat_id"] == "-100123" and kept[0]["parse_mode"] == "HTML"
    assert "a &lt;b&gt; &amp; c" in kept[0]["text"] and "reply_parameters" not in kept[0]
    downtime.restore(incident.pk, actor=people["manager"], at=timezone.now())
    send("telegram")
    assert kept[-1]["reply_parameters"] == {"message_id": 41, "allow_sending_without_reply": True}


def test_who_blocked_the_bot_is_told_on_the_next_channel(people, checkout, telegram):
    _, refuse = telegram
    director = people["director"]
    ContactSettings.objects.create(user=director, email_position=9)
    now = timezone.now()
    theirs = ContactPoint.objects.create(
        user=director, channel="telegram", address="77", takes_messages=True, verified_at=now, created_at=now
    )
    refuse.append((403, {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}, {}))
    row = told("telegram", people, checkout)
    theirs.refresh_from_db()
    assert (row.state, theirs.failures_in_row) == ("failed", 1)
    assert "blocked by the user. Told by E-mail instead" in row.reason
    assert Delivery.objects.filter(instead_of=row, channel="email").exists()
    assert ChannelAccount.objects.get(channel="telegram").failures_in_row == 0


def test_telegram_says_how_long_to_wait_and_never_shows_its_token(people, checkout, telegram):
    _, refuse = telegram
    place("telegram", "-100123")
    said = {"ok": False, "error_code": 429, "description": f"Slow down {TELEGRAM}", "parameters": {"retry_after": 99}}
    refuse += [(429, said, {})] * 5
    row = told("telegram", people, checkout)
    assert row.next_attempt_at > timezone.now() + timedelta(seconds=90)
    assert "Slow down" in row.reason and TELEGRAM not in row.reason


# --- ntfy -------------------------------------------------------------------------------------
def test_ntfy_gets_title_priority_and_where_a_tap_leads(people, checkout):
    with serving(lambda asked: (200, {"id": "x"}, {})) as (url, asked):
        place("ntfy", url=f"{url}/base/our-topic")
        row = told("ntfy", people, checkout, title="Überlastung")
    said = next(one.json for one in asked if "declared" in one.body.decode())
    assert asked[0].path == "/base/"
    assert (said["topic"], said["priority"], row.state) == ("our-topic", 5, "delivered")
    assert "Überlastung" in said["title"]
    assert said["click"].startswith("http") and said["actions"][0]["action"] == "view"


# --- apprise ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "address",
    [
        "json://127.0.0.1/hook", "jsons://internal.example/", "gotifys://192.168.1.1/token", "mailto://a:b@host", "file:///etc/passwd",
        "discord://123/token?template=/etc/passwd", "pover://user@token?redirect=yes", "pover://user@token?avatar_url=http://10.0.0.1/",
        "nonsense",
    ],
)  # fmt: skip
def test_apprise_is_open_to_fixed_public_hosts_only(address, settings):
    settings.OUTGOING_NETWORKS = []
    with pytest.raises(OutgoingRefused):
        apprise.check(address)


def test_a_server_of_ones_own_is_open_where_its_network_is_and_nowhere_else(settings):
    apprise.check("gotify://127.0.0.1/token")
    with pytest.raises(OutgoingRefused, match="not a public address"):
        apprise.check("gotify://10.1.2.3/token")
    settings.OUTGOING_HTTP = False
    with pytest.raises(OutgoingRefused, match="not open here"):
        apprise.check("gotify://127.0.0.1/token")


def test_a_message_leaves_through_apprise_without_following_a_redirect(people, checkout):
    answers = [(302, b"", {"Location": "http://127.0.0.1:9/"})]
    with serving(lambda asked: answers.pop(0) if answers else (200, {"id": 1}, {})) as (url, asked):
        place("apprise", url=f"gotify://{url.removeprefix('http://')}/TokenOfOurs12345")
        declare(people["manager"], checkout)
        send("apprise")
        assert Delivery.objects.filter(channel="apprise", state="queued").exists()
        row = send("apprise")
    assert (row.state, row.answer) == ("delivered", "Taken by Gotify")
    assert {one.path for one in asked} == {"/message"}
    assert "declared" in json.dumps([one.json for one in asked])
    assert "TokenOfOurs" not in row.answer


# --- Words ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "seconds"),
    [("7", 7), ("-3", 0), ("soon", None), ("", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("1e400", None)],
)
def test_how_long_a_provider_wants_to_be_left_alone(given, seconds):
    found = pause_asked({"Retry-After": given})
    assert (found.total_seconds() if found is not None else None) == seconds
