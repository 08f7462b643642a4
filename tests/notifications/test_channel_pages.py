"""Administrators set channels and places up: refused at the field, kept when saved, tried, and no secret comes back."""

import socket

import pytest
from django.urls import reverse
from django.utils import timezone

from incidents.errors import Invalid, NotAccountable
from incidents.models import ApiKey
from notifications import channel_queries
from notifications import channel_settings as acts
from notifications.channels import registry
from notifications.models import ChannelAccount, ChannelChange, Delivery, Destination, PlaceThread
from tests.notifications import twilio
from tests.notifications.conftest import declare, person
from tests.notifications.loopback import FakeSlack, serving

pytestmark = pytest.mark.django_db
SLACK = {"bot_token": FakeSlack.token, "signing_secret": "signing-secret-of-ours"}
SMS = {"account_sid": "AC1", "auth_token": "t", "from_number": "MG1"}


@pytest.fixture
def admin(db):
    return person("admin", "administrator")


@pytest.fixture
def outgoing_open(settings):
    settings.OUTGOING_HTTP, settings.OUTGOING_NETWORKS = True, ["127.0.0.0/8"]


def by(user):
    return {"actor": user, "at": timezone.now()}


def room(admin, url, **fields):
    given = {"name": "#outages", "settings": {"url": url}, "audiences": ["technical"], **fields}
    return acts.save_place(None, channel="mattermost", changes=given, **by(admin))


# --- Accounts ---------------------------------------------------------------------------------
def test_an_account_is_set_up_by_its_form_and_no_secret_comes_back(admin, client):
    client.force_login(admin)
    page = reverse("channel_account", args=["slack"])
    sent = client.post(page, {"base_url": "https://slack.com/api", **SLACK})
    assert (sent.status_code, sent["Location"]) == (302, "/channels/slack/")
    row = ChannelAccount.objects.get(channel="slack")
    assert (row.secrets, row.is_enabled, row.changed_by) == (SLACK, True, admin)
    shown = [client.get(path).content.decode() for path in (page, "/channels/", "/channels/slack/", "/api/v1/channels")]
    assert not [text for text in shown for secret in SLACK.values() if secret in text or secret in row.sealed]
    kept = client.post(page, {"base_url": "https://slack.com/api", "bot_token": "", "signing_secret": "another"})
    row.refresh_from_db()
    assert (kept.status_code, row.secrets["bot_token"], row.secrets["signing_secret"]) == (
        302,
        FakeSlack.token,
        "another",
    )
    said = list(ChannelChange.objects.values_list("actor", "what").order_by("id"))
    assert said[0] == (
        admin.pk,
        "Set up. Address of the API: https://slack.com/api; Bot token entered; Signing secret entered.",
    )
    assert said[1] == (admin.pk, "Changed. Signing secret entered.")


@pytest.mark.parametrize(
    ("channel", "given", "field", "words"),
    [
        ("slack", {**SLACK, "bot_token": "xoxp-1"}, "bot_token", "begins with xoxb-"),
        ("slack", {"signing_secret": "x"}, "bot_token", "needed"),
        ("slack", {**SLACK, "base_url": "https://127.0.0.1/api"}, "base_url", "not a public address"),
        ("slack", {**SLACK, "base_url": "ftp://slack.com"}, "base_url", "must begin with https://"),
        ("slack", {**SLACK, "nonsense": "x"}, "nonsense", "no such setting"),
        ("sms", {**SMS, "voice_number": "0151"}, "voice_number", "country code"),
        ("telegram", {"bot_token": "123"}, "bot_token", "looks like"),
        ("matrix", {"access_token": "x"}, "base_url", "needed"),
        ("email", {}, "channel", "not possible"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)  # fmt: skip
def test_a_mistake_is_refused_at_its_field(admin, channel, given, field, words):
    with pytest.raises(Invalid) as refused:
        acts.save_account(channel, given=given, **by(admin))
    assert list(refused.value.errors) == [field]
    assert words in refused.value.errors[field][0]
    assert not ChannelAccount.objects.exists()


def test_a_secret_is_not_sent_to_another_provider_unless_it_is_entered_again(admin, outgoing_open):
    acts.save_account("slack", given=SLACK, **by(admin))
    with pytest.raises(Invalid) as refused:
        acts.save_account("slack", given={"base_url": "http://127.0.0.1:9/api"}, **by(admin))
    assert set(refused.value.errors) == {"bot_token", "signing_secret"}


def test_only_administrators_change_channels(manager):
    for act in (
        lambda: acts.save_account("slack", given=SLACK, **by(manager)),
        lambda: acts.switch_channel("teams", on=False, **by(manager)),
        lambda: room(manager, "https://chat.example/hooks/x"),
        lambda: acts.try_channel("email", given={"address": "a@b.example"}, **by(manager)),
    ):
        with pytest.raises(NotAccountable):
            act()
    assert not ChannelChange.objects.exists()


def test_a_channel_is_switched_off_and_on_and_its_failures_are_forgotten(admin):
    acts.switch_channel("teams", on=False, **by(admin))
    assert channel_queries.channel_shown("teams").state == "off"
    ChannelAccount.objects.update(failures_in_row=5, last_failure="x", last_failed_at=timezone.now())
    acts.switch_channel("teams", on=True, **by(admin))
    assert channel_queries.channel_shown("teams").state == "unknown"
    with pytest.raises(Invalid, match="needed"):
        acts.switch_channel("slack", on=True, **by(admin))


# --- Places -----------------------------------------------------------------------------------
def test_a_place_is_checked_at_save_and_again_when_its_name_changes_its_mind(
    admin, settings, monkeypatch, people, checkout
):
    settings.OUTGOING_HTTP = True
    answers = iter(["93.184.216.34", "127.0.0.1", "127.0.0.1"])
    seen = lambda host, port, **_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]  # noqa: E731
    with serving(lambda asked: (200, b"ok", {})) as (url, asked), monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", seen)
        place = room(admin, f"http://rebinding.example:{url.rpartition(':')[2]}/hooks/x")
        outcome = acts.try_place(place, **by(admin))
        with pytest.raises(Invalid) as refused:
            room(admin, "http://inside.example/hooks/y", name="#two")
    assert (outcome.accepted, outcome.is_final, asked) == (False, True, [])
    assert list(refused.value.errors) == ["url"]
    assert place.address == "http://rebinding.example/…"


@pytest.mark.parametrize(
    ("channel", "changes", "field"),
    [
        ("slack", {"settings": {"channel": "#outages"}}, "channel"),
        ("matrix", {"settings": {"room": "#outages:example.org"}}, "room"),
        ("telegram", {"settings": {"chat": "our group"}}, "chat"),
        ("ntfy", {"settings": {"url": "https://93.184.216.34/"}}, "url"),
        ("apprise", {"settings": {"url": "json://10.0.0.1/"}}, "url"),
        ("slack", {"audiences": []}, "audiences"),
        ("slack", {"audiences": ["everybody"]}, "audiences"),
        ("slack", {"severities": ["SEV9"]}, "severities"),
        ("slack", {"name": " "}, "name"),
        ("sms", {}, "channel"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_place_is_refused_at_its_field(admin, channel, changes, field):
    given = {"name": "#outages", "settings": {"channel": "C0123456789"}, "audiences": ["technical"], **changes}
    with pytest.raises(Invalid) as refused:
        acts.save_place(None, channel=channel, changes=given, **by(admin))
    assert list(refused.value.errors) == [field]
    assert not Destination.objects.exists()


def test_a_place_that_moves_begins_its_threads_anew_and_one_that_is_renamed_does_not(admin, manager, checkout):
    given = {"name": "#outages", "settings": {"channel": "C0123456789"}, "audiences": ["technical"]}
    place = acts.save_place(None, channel="slack", changes=given, **by(admin))
    incident = declare(manager, checkout)
    event = Delivery.objects.filter(incident=incident)[0].event
    PlaceThread.objects.create(destination=place, incident=incident, begun_by=event, head="1", begun_at=timezone.now())
    acts.save_place(place.pk, changes={"name": "#incidents", "settings": {"channel": "C0123456789"}}, **by(admin))
    assert PlaceThread.objects.count() == 1
    acts.save_place(place.pk, changes={"settings": {"channel": "C9876543210"}}, **by(admin))
    assert PlaceThread.objects.count() == 0
    with pytest.raises(Invalid) as refused:
        acts.save_place(None, channel="slack", changes=given | {"name": "#incidents"}, **by(admin))
    assert list(refused.value.errors) == ["name"]


def test_the_form_of_a_place_keeps_what_was_typed_and_the_secret_that_is_stored(admin, client, outgoing_open, checkout):
    client.force_login(admin)
    with serving(lambda asked: (200, b"ok", {})) as (url, asked):
        new = f"{reverse('place_new')}?channel=mattermost"
        given = {
            "name": "#outages",
            "url": f"{url}/hooks/secretpath",
            "severities": ["SEV1"],
            "services": [checkout.pk],
        }
        refused = client.post(new, given)
        assert refused.status_code == 422
        assert 'value="#outages"' in refused.content.decode()
        assert client.post(new, {**given, "audiences": ["users"]}).status_code == 302
        place = Destination.objects.get()
        edit = reverse("place_edit", args=[place.pk])
        assert "secretpath" not in client.get(edit).content.decode() + client.get("/channels/").content.decode()
        assert client.post(edit, {"name": "#out", "url": "", "audiences": ["technical"]}).status_code == 302
        tried = client.post(reverse("place_test", args=[place.pk]), follow=True).content.decode()
    place.refresh_from_db()
    assert (place.secrets, place.severities, place.health) == ({"url": f"{url}/hooks/secretpath"}, [], "ok")
    assert "took the test message. It answered: 200 ok" in tried
    assert "Test message of MIM" in asked[-1].body.decode()


# --- Tests ------------------------------------------------------------------------------------
def test_a_test_shows_the_providers_answer_and_teaches_the_health(admin, client, outgoing_open):
    client.force_login(admin)
    fake = FakeSlack()
    with serving(fake) as (url, _):
        acts.save_account("slack", given={**SLACK, "base_url": f"{url}/api"}, **by(admin))
        page = reverse("channel_test", args=["slack"])
        refused = client.post(page, {"channel": "C9999999999"})
        good = client.post(page, {"channel": "C0123456789"}, follow=True)
    assert refused.status_code == 422
    assert "not_in_channel: The app is not a member of the channel." in refused.content.decode()
    assert "Slack took the test message" in good.content.decode()
    assert "Test message of MIM" in fake.messages[0]["text"]
    assert ChannelAccount.objects.get(channel="slack").health == "ok"


def test_a_test_mail_shows_the_servers_answer(admin, smtp):
    outcome = acts.try_channel("email", given={"address": "ops@shop.example"}, **by(admin))
    assert (outcome.accepted, outcome.answer) == (True, "250 2.0.0 queued as SINK")
    assert smtp.to("ops@shop.example")[0]["Subject"] == "Test message of MIM"
    smtp.refuse["no@shop.example"] = "550 no such user"
    assert acts.try_channel("email", given={"address": "no@shop.example"}, **by(admin)).answer == "550 no such user"


def test_the_page_shows_the_mail_server_without_its_password(admin, client, settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "mim", "hunter2hunter2"  # noqa: S105
    client.force_login(admin)
    shown = client.get("/channels/email/").content.decode()
    assert "//mim@" in shown and "hunter2" not in shown


def test_every_channel_has_a_page_with_its_steps(admin, client):
    client.force_login(admin)
    for key in registry():
        shown = client.get(reverse("channel", args=[key]))
        assert shown.status_code == 200, key
        assert "Step by step" in shown.content.decode()


def test_what_a_channel_sealed_by_itself_survives_a_change_of_its_account(admin):
    acts.save_account("web_push", given={"contact": ""}, **by(admin))
    row = ChannelAccount.objects.get(channel="web_push")
    row.keep_secrets({"vapid_private_key": "own"})
    row.save()
    acts.save_account("web_push", given={"contact": "ops@shop.example"}, **by(admin))
    row.refresh_from_db()
    assert (row.secrets, row.settings) == ({"vapid_private_key": "own"}, {"contact": "ops@shop.example"})


def test_a_test_sms_leaves_by_the_account_that_was_entered(admin, outgoing_open):
    provider = twilio.Provider()
    try:
        given = {**SMS, "base_url": provider.url, "account_sid": twilio.ACCOUNT, "auth_token": twilio.TOKEN}
        acts.save_account("sms", given=given, **by(admin))
        outcome = acts.try_channel("sms", given={"number": "+49 151 23456789"}, **by(admin))
    finally:
        provider.stop()
    assert outcome.accepted, outcome.answer
    assert provider.texts[0]["To"] == "+4915123456789"
    assert "Test message of MIM" in provider.texts[0]["Body"]


def test_the_page_asks_as_much_for_many_places_as_for_one(admin, client, django_assert_max_num_queries):
    client.force_login(admin)
    for number in range(12):
        Destination.objects.create(
            name=f"#{number}", channel="slack", audiences=["technical"], changed_at=timezone.now()
        )
    client.get("/channels/")
    with django_assert_max_num_queries(12):
        assert client.get("/channels/").status_code == 200


# --- API --------------------------------------------------------------------------------------
def test_the_api_does_what_the_pages_do(admin, client, outgoing_open, checkout):
    auth = {"Authorization": f"Bearer {ApiKey.issue(admin, name='k', scopes=['read', 'admin'])[1]}"}

    def ask(method, path, body=None):
        return getattr(client, method)(f"/api/v1/{path}", body, content_type="application/json", headers=auth)

    with serving(lambda asked: (200, b"ok", {})) as (url, _):
        made = ask("post", "destinations", {
            "name": "#outages", "channel": "mattermost", "settings": {"url": f"{url}/hooks/secretpath"},
            "audiences": ["technical"], "services": ["checkout"],
        })  # fmt: skip
        assert made.status_code == 201, made.content
        here = f"destinations/{made.json()['id']}"
        assert ask("post", f"{here}/test", {}).json() == {"accepted": True, "answer": "200 ok"}
        assert ask("patch", here, {"severities": ["SEV1"]}).json()["severities"] == ["SEV1"]
        listed = ask("get", "destinations")
    assert listed.json()["results"][0] | {} == ask("get", here).json()
    assert listed.json()["results"][0]["services"] == ["checkout"]
    assert "secretpath" not in listed.content.decode() + made.content.decode()
    wrong = ask("patch", here, {"settings": {"url": "https://10.0.0.1/"}})
    assert (wrong.status_code, list(wrong.json()["errors"])) == (400, ["url"])
    assert ask("delete", here).status_code == 204
    set_up = ask("patch", "channels/slack", {"settings": SLACK})
    assert (set_up.status_code, set_up.json()["secrets_set"]) == (200, ["bot_token", "signing_secret"])
    assert ask("patch", "channels/slack", {"is_enabled": False}).json()["state"] == "off"
    assert ask("delete", "channels/slack").status_code == 204
    assert ask("get", "channels/slack").json()["state"] == "not_set_up"
    assert ask("get", "channels/nonsense").status_code == 404
