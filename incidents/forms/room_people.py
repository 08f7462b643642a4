"""What people type about the team and the bridge of a war room."""

from typing import Any

from django import forms

from incidents.actions.bridges import link_of
from incidents.forms.room import GUEST_ACCESS, Person, RoomForm, long_text
from incidents.models import Bridge, BridgeProvider, User, people_with_role
from incidents.process import AccountRole
from incidents.queries.room_people import draft_of_handover


class StandInForm(RoomForm):
    user = Person(User.objects.none(), label="Stand-in", empty_label="Choose somebody")
    message = long_text("Message", required=False, rows=2)

    def prepare(self) -> None:
        people = User.objects.filter(is_active=True, is_guest=False).exclude(pk=self.room.user.pk)
        self.fields["user"].queryset = people.order_by("name")  # type: ignore[attr-defined]


class HandOverCommandForm(RoomForm):
    taker = Person(User.objects.none(), label="To", empty_label="Choose a major incident manager")
    summary = long_text(
        "Summary", rows=12, max_length=10_000, help_text="Made from the record. Both of you stand for these words."
    )

    def prepare(self) -> None:
        rows = people_with_role(AccountRole.MAJOR_INCIDENT_MANAGER).filter(is_guest=False)
        self.fields["taker"].queryset = rows.exclude(pk=self.room.user.pk).order_by("name")  # type: ignore[attr-defined]
        self.initial.setdefault("summary", draft_of_handover(self.room))


class DeclineForm(RoomForm):
    reason = forms.CharField(label="Why not", max_length=500, required=False)


class GuestAccessForm(RoomForm):
    hours = forms.TypedChoiceField(label="Access ends, from now, after", choices=GUEST_ACCESS, coerce=int, initial=24)
    new_link = forms.BooleanField(
        label="Send a new link",
        required=False,
        help_text="The old one stops working at once, for whoever has it, and whoever is in by it is out.",
    )


class BridgeForm(RoomForm):
    pattern = forms.ModelChoiceField(
        BridgeProvider.objects.none(), label="Made from", required=False, empty_label="The link and number below"
    )
    join_url = forms.URLField(label="Join link", max_length=500, required=False, assume_scheme="https")
    dial_in = forms.CharField(
        label="Dial-in", max_length=200, required=False, help_text="Number and code, where there is one."
    )
    provider = forms.ChoiceField(label="Provider", choices=Bridge.Provider.choices, initial=Bridge.Provider.OTHER)
    rows = (("pattern",), ("join_url",), ("dial_in", "provider"))

    def prepare(self) -> None:
        offered = BridgeProvider.objects.filter(is_enabled=True)
        self.fields["pattern"].queryset = offered  # type: ignore[attr-defined]
        if bridge := self.room.bridge:
            self.initial.update({"join_url": bridge.join_url, "dial_in": bridge.dial_in, "provider": bridge.provider})
        elif first := offered.first():
            self.initial.setdefault("pattern", first.pk)
        if not offered:
            del self.fields["pattern"]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        made = given.get("pattern")
        if made is not None:
            given |= {
                "join_url": link_of(made, self.room.incident), "dial_in": made.dial_in, "provider": made.kind
            }  # fmt: skip
        elif not given.get("join_url") and not given.get("dial_in") and not self.errors:
            self.add_error("join_url", "Give the link, or the number to dial.")
        return given
