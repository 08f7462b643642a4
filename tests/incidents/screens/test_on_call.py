"""The on-call pages: calendar, rota, layers with a preview, own shifts, standing in, swapping, calendar files."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from incidents.actions import rotas
from incidents.models import CalendarFeed, HandoverNote, Rota, RotaLayer, RotaOverride
from incidents.on_call import on_call
from incidents.queries.rotas import VIEWS, calendar, duties, span_of
from tests import factories

pytestmark = pytest.mark.django_db
MIM = "major_incident_manager"
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def primary(administrator, manager, deputy):
    """Manager and deputy take weeks from three Mondays ago on."""
    now = timezone.now()
    rota = rotas.save_rota(
        changes={"name": "Managers", "role": MIM, "time_zone": "Europe/Berlin"}, actor=administrator, at=now
    )
    monday = now.date() - timedelta(days=now.weekday(), weeks=3)
    changes = {"name": "Primary", "people": [manager, deputy], "starts_on": monday, "handover_weekday": 0}
    return rotas.save_layer(rota_id=rota.pk, changes=changes, actor=administrator, at=now)


@pytest.fixture
def keeper(signed_in, service_desk_manager):
    return signed_in(service_desk_manager)


def text(answer) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_calendar_says_who_is_on_now_and_shows_each_view(primary, at_desk, keeper, manager, deputy):
    now = on_call(MIM, timezone.now())[0]
    for view in VIEWS:
        page = text(at_desk.get(reverse("on_call"), {"view": view}))
        assert manager.name in page and deputy.name in page and "Primary" in page
        assert reverse("rota", args=[primary.rota_id]) in page
        columns = VIEWS[view][0] * VIEWS[view][1]
        rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.DOTALL)
        spans = [sum(map(int, re.findall(r'<td colspan="(\d+)"', row))) for row in rows if '<th scope="row">' in row]
        assert spans and set(spans) == {columns}
    assert now.name in page
    assert text(at_desk.get(reverse("on_call"), {"view": "x", "from": "2026-99-99"}))
    assert text(at_desk.get(reverse("on_call"), {"from": "9999-12-31"}))


def test_a_click_on_a_shift_opens_the_stand_in_dialog_with_its_times(primary, keeper):
    page = text(keeper.get(reverse("on_call")))
    [address, *_] = re.findall(r'href="(/on-call/stand-in/[^"]+)"', page)
    shown = text(keeper.get(address.replace("&amp;", "&"), headers={"HX-Request": "true"}))
    assert "Managers, Primary" in shown and 'type="datetime-local"' in shown


def test_every_row_fills_its_days_also_where_clocks_change(primary, organisation):
    with timezone.override(BERLIN):
        for first in (date(2026, 3, 23), date(2026, 10, 19)):
            for view in VIEWS:
                since, until = span_of(view, first)
                found = duties(since, since=since, until=until)
                shown = calendar(view, first, found)
                for group in shown.groups:
                    for row in group.rows:
                        assert sum(cell.width for cell in row.cells) == shown.columns


def test_gaps_are_said_in_words(keeper, administrator, engineer):
    team = factories.team("Network")
    rota = rotas.save_rota(
        changes={"name": "Net", "team": team, "time_zone": "UTC"}, actor=administrator, at=timezone.now()
    )
    office = [{"weekdays": [0, 1, 2, 3, 4, 5, 6], "begins": "08:00", "ends": "18:00"}]
    changes = {"name": "Days", "people": [engineer], "starts_on": date(2026, 1, 1), "windows": office}
    rotas.save_layer(rota_id=rota.pk, changes=changes, actor=administrator, at=timezone.now())
    page = text(keeper.get(reverse("on_call")))
    assert "Nobody is on call" in page and "Network" in page and "rota-gaps" in page
    assert re.search(r"and 1\d more", page)


def layer_form(*people, **fields) -> dict:
    plain = {
        "name": "Primary", "rank": "1", "people": [person.pk for person in people], "length": "1", "unit": "week",
        "handover_at": "09:00", "handover_weekday": "0", "starts_on": "2026-03-02", "ends_on": "",
        "begins_1": "", "ends_1": "", "begins_2": "", "ends_2": "",
    }  # fmt: skip
    return {**plain, **fields}


def test_a_rota_is_made_with_a_layer_and_changed(keeper, manager, deputy):
    made = keeper.post(reverse("rota_new"), {"name": "Managers", "role": MIM, "team": "", "time_zone": "Europe/Berlin"})
    rota = Rota.objects.get()
    assert made["Location"] == reverse("rota", args=[rota.pk])
    assert "Add the first layer" in text(keeper.get(made["Location"]))
    windows = {"days_1": ["0", "1"], "begins_1": "18:00", "ends_1": "08:00"}
    assert keeper.post(reverse("layer_new", args=[rota.pk]), layer_form(manager, deputy, **windows)).status_code == 302
    layer = RotaLayer.objects.get()
    assert [member.person for member in layer.members.all()] == [manager, deputy]
    assert layer.windows == [{"weekdays": [0, 1], "begins": "18:00", "ends": "08:00"}]
    page = text(keeper.get(reverse("rota", args=[rota.pk])))
    assert "only Mon, Tue 18:00–08:00" in page
    form = text(keeper.get(reverse("layer_edit", args=[layer.pk])))
    assert "The next six weeks" in form and manager.name in form
    changed = layer_form(deputy, manager, deputy, **windows, begins_3="", ends_3="")
    assert keeper.post(reverse("layer_edit", args=[layer.pk]), changed).status_code == 302
    assert [member.person for member in layer.members.all()] == [deputy, manager, deputy]


def test_the_preview_says_who_would_be_on_call_and_writes_nothing(keeper, primary, manager, deputy):
    address = reverse("layer_preview", args=[primary.rota_id])
    shown = text(keeper.post(address, layer_form(deputy, manager)))
    assert deputy.name in shown and manager.name in shown
    assert "Name the layer and choose people" in text(keeper.post(address, layer_form()))
    assert "at most 26 weeks" in text(keeper.post(address, layer_form(deputy, length="99")))
    assert [member.person for member in primary.members.all()] == [manager, deputy]


def test_what_cannot_be_is_said_at_its_field_and_what_was_typed_is_kept(keeper, primary, manager, technician):
    address = reverse("layer_new", args=[primary.rota_id])
    for wrong, words in (
        (layer_form(technician), "cannot be on call here"),
        (layer_form(manager, days_1=["0"], name="Half a window"), "Give weekdays, from and to"),
        (layer_form(manager, ends_on="2026-03-01", name="Backwards"), "The last handover lies after the first"),
    ):
        answer = keeper.post(address, wrong)
        assert answer.status_code == 422 and words in answer.content.decode()
        assert wrong["name"] in answer.content.decode()


def test_my_shifts_are_given_away_and_swapped(primary, signed_in, manager, deputy):
    browser = signed_in(manager)
    page = text(browser.get(reverse("my_shifts")))
    [swap, *_] = re.findall(r'href="(/on-call/mine/swap/[^"]+)"', page)
    swap = swap.replace("&amp;", "&")
    offered = re.findall(r'name="theirs" value="([^"]+)"', text(browser.get(swap)))
    assert browser.post(swap, {"theirs": offered[0], "reason": "wedding"}).status_code == 302
    assert {row.person for row in RotaOverride.objects.all()} == {manager, deputy}
    assert browser.post(swap, {"theirs": "1 2 3"}).status_code == 422
    for broken in ("?layer=x", "?layer=999999", f"?layer={primary.pk}&from=x&to=y"):
        assert browser.get(reverse("swap_shift") + broken).status_code == 404


def test_a_stand_in_typed_to_midnight_ends_at_midnight(primary, keeper, deputy, service_desk_manager):
    service_desk_manager.time_zone = "Europe/Berlin"
    service_desk_manager.save()
    day = timezone.localdate() + timedelta(days=30)
    given = {"person": deputy.pk, "starts_at": f"{day}T00:00", "ends_at": f"{day + timedelta(days=1)}T00:00"}
    assert keeper.post(f"{reverse('stand_in')}?layer={primary.pk}", given).status_code == 302
    override = RotaOverride.objects.get()
    assert override.ends_at.astimezone(BERLIN) == datetime.combine(
        day + timedelta(days=1), datetime.min.time(), tzinfo=BERLIN
    )
    assert keeper.post(reverse("stand_in_remove", args=[override.pk])).status_code == 302
    assert not RotaOverride.objects.exists()


def test_a_handover_note_reaches_the_next_person(primary, signed_in, manager, deputy):
    signed_in(manager).post(reverse("note_new", args=[primary.rota_id]), {"text": "Node <b>2</b> is shaky"})
    page = text(signed_in(deputy).get(reverse("my_shifts")))
    assert "Node &lt;b&gt;2&lt;/b&gt; is shaky" in page
    signed_in(deputy).post(reverse("note_taken", args=[HandoverNote.objects.get().pk]))
    assert f"taken over by {deputy.name}" in text(signed_in(manager).get(reverse("rota", args=[primary.rota_id])))


def test_a_calendar_address_is_shown_once_and_revoked(primary, signed_in, manager):
    browser = signed_in(manager)
    answer = browser.post(reverse("feed_new"), {"rota": primary.rota_id}, headers={"HX-Request": "true"})
    address = re.search(r"https?://[^/\s]+(/calendars/\S+?\.ics)", text(answer)).group(1)
    assert "no-store" in answer["Cache-Control"]
    assert b"BEGIN:VCALENDAR" in browser.get(address).content
    assert address not in text(browser.get(reverse("rota", args=[primary.rota_id])))
    browser.post(reverse("feed_revoke", args=[CalendarFeed.objects.get().pk]))
    assert browser.get(address).status_code == 404


def test_a_calendar_file_is_looked_at_before_it_is_imported(primary, keeper, deputy):
    day = timezone.localdate() + timedelta(days=9)
    good = ["BEGIN:VEVENT", "UID:a@x", f"DTSTART;VALUE=DATE:{day:%Y%m%d}", f"ATTENDEE:mailto:{deputy.email}"]
    bad = ["END:VEVENT", "BEGIN:VEVENT", "UID:b@x", "END:VEVENT", "END:VCALENDAR"]
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *good, *bad]
    file = SimpleUploadedFile("a.ics", "\r\n".join(lines).encode(), content_type="text/calendar")
    address = reverse("calendar_import")
    page = text(keeper.post(address, {"file": file, "target": f"layer-{primary.pk}", "rank": "1"}))
    assert "1 new" in page and "1 cannot be used" in page and "does not say when it begins" in page
    assert not RotaOverride.objects.exists()
    sent = {"text": "\r\n".join(lines), "target": f"layer-{primary.pk}", "rank": "1"}
    for _ in range(2):
        assert keeper.post(address, sent).status_code == 302
    assert RotaOverride.objects.get().person == deputy


@pytest.mark.parametrize(
    ("content", "words"), [(b"\xff\xfe\x00", "UTF-8"), (b"hello", "no calendar file"), (b"", "empty")]
)
def test_a_file_that_is_no_calendar_is_refused_at_its_field(keeper, organisation, content, words):
    file = SimpleUploadedFile("a.ics", content)
    answer = keeper.post(reverse("calendar_import"), {"file": file, "target": f"role-{MIM}", "rank": "1"})
    assert answer.status_code == 422 and words in answer.content.decode()


@pytest.mark.parametrize("name", ["on_call", "my_shifts"])
def test_the_pages_cost_the_same_for_one_and_for_many_layers(
    primary, administrator, signed_in, manager, deputy, queries_of, name
):
    browser, costs = signed_in(manager), []
    for number in (0, 6):
        for extra in range(number):
            changes = {"name": f"L{extra}", "people": [manager, deputy], "starts_on": date(2026, 1, 5)}
            rotas.save_layer(rota_id=primary.rota_id, changes=changes, actor=administrator, at=timezone.now())
        costs.append(queries_of(browser, reverse(name)))
    assert len(set(costs)) == 1 and costs[0] <= 13, costs
