"""What stands around every page: navigation by role, theme, where live pages listen, where people land.

Other rooms are named by their URLs only; an address that is not there is left out of the navigation.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from incidents.models import Organisation
from incidents.permissions import DESK_ROLES, STAFF_ROLES, is_usable
from incidents.process import AccountRole
from mim.watchman import watchman

THEMES = ("light", "dark")  # anything else follows the device
THEME_COOKIE = "theme"

A = AccountRole
GUEST: frozenset[str] = frozenset({A.EXTERNAL_CONSULTANT})
ADMINISTRATORS: frozenset[str] = frozenset({A.ADMINISTRATOR})
DESK: frozenset[str] = frozenset({A.SERVICE_DESK_TECHNICIAN, A.SERVICE_DESK_MANAGER})
WORKERS: frozenset[str] = frozenset({A.TECHNICAL_STAFF, A.CHANGE_MANAGER, A.PROBLEM_MANAGER}) | GUEST
COMMANDERS: frozenset[str] = frozenset({A.MAJOR_INCIDENT_MANAGER, A.SERVICE_DESK_MANAGER})
CONFIGURE_THE_DESK: frozenset[str] = frozenset({A.SERVICE_DESK_MANAGER}) | ADMINISTRATORS
DECIDERS: frozenset[str] = frozenset({A.MANAGEMENT, A.KEY_STAKEHOLDER})
WORKS_THE_DESK = frozenset(DESK_ROLES)
READS_THE_DESK = frozenset(STAFF_ROLES)
INSIDERS = READS_THE_DESK | DECIDERS
EVERYBODY = frozenset(A.values)


@dataclass(frozen=True)
class Place:
    """One entry of the navigation: the name of its URL, its words, its icon, and whose it is."""

    name: str
    label: str
    icon: str
    roles: frozenset[str]


NAVIGATION: tuple[tuple[str, tuple[Place, ...]], ...] = (
    (
        "Now",
        (
            Place("desk", "Desk", "headset", DESK | ADMINISTRATORS),
            Place("hotline", "Hotline", "phone-incoming", DESK),
            Place("command", "Command", "flame", COMMANDERS | ADMINISTRATORS),
            Place("my_work", "My work", "checklist", EVERYBODY - {A.REQUESTER}),
            Place("overview", "Overview", "layout-dashboard", DECIDERS | COMMANDERS | ADMINISTRATORS),
            Place("portal", "Portal", "lifebuoy", EVERYBODY - GUEST),
        ),
    ),
    (
        "Records",
        (
            Place("ticket_list", "Tickets", "ticket", WORKS_THE_DESK),
            Place("alert_list", "Alerts", "activity-heartbeat", WORKS_THE_DESK),
            Place("major_incident_list", "Major incidents", "alert-octagon", INSIDERS | GUEST),
            Place("problem_list", "Problems", "bug", WORKS_THE_DESK),
            Place("change_list", "Changes", "git-branch", WORKS_THE_DESK),
            Place("document_list", "Knowledge", "book-2", READS_THE_DESK),
            Place("learning", "Learning", "bulb", READS_THE_DESK),
            Place("checklists", "Checklists", "list-check", READS_THE_DESK),
            Place("service_list", "Services", "sitemap", INSIDERS),
            Place("on_call", "On call", "phone-call", READS_THE_DESK),
            Place("kpi_dashboard", "KPIs", "chart-line", READS_THE_DESK),
        ),
    ),
    (
        "Administration",
        (
            Place("people", "People", "users", ADMINISTRATORS),
            Place("organisation", "Organisation", "building", ADMINISTRATORS),
            Place("sla", "Service levels", "clock", ADMINISTRATORS | {A.SERVICE_DESK_MANAGER}),
            Place("audiences", "Audiences", "speakerphone", ADMINISTRATORS),
            Place("plan_list", "Communication", "messages", ADMINISTRATORS | COMMANDERS),
            Place("influx", "Influx", "trending-up", ADMINISTRATORS | COMMANDERS),
            Place("escalation_policies", "Escalation", "bell-ringing", ADMINISTRATORS | COMMANDERS),
            Place("raci", "RACI matrix", "table", ADMINISTRATORS | COMMANDERS),
            Place("integrations", "Integrations", "plug-connected", CONFIGURE_THE_DESK),
            Place("channels", "Channels", "messages", ADMINISTRATORS),
            Place("webhooks", "Webhooks", "broadcast", ADMINISTRATORS),
            Place("alert_rules", "Alert rules", "route", CONFIGURE_THE_DESK),
            Place("mail_in", "E-mail in", "mail-opened", ADMINISTRATORS | {A.SERVICE_DESK_MANAGER}),
            Place("mail_catcher", "Caught mail", "mail", ADMINISTRATORS),
            Place("api_keys", "API keys", "key", ADMINISTRATORS),
        ),
    ),
)

# Strongest first: who holds several roles lands where the most is asked of them (screens: "Who lands where").
LANDINGS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({A.MAJOR_INCIDENT_MANAGER}), "command"),
    (DESK, "desk"),
    (WORKERS, "my_work"),
    (DECIDERS | ADMINISTRATORS, "overview"),
)
LANDING_WITHOUT_ROLE = "portal"


def address(name: str) -> str | None:
    """The path of a URL name; None when this installation does not have it."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


def roles_of(user: Any) -> frozenset[str]:
    """Account role keys of a signed-in person; empty for nobody, the disabled, and somebody without a role.

    A guest counts as an external consultant, whatever other roles the account has.
    """
    if user is None or not is_usable(user):
        return frozenset()
    return GUEST if user.is_guest else user.account_roles


def landing_of(roles: frozenset[str]) -> str:
    """The URL name a person with these roles lands on after signing in."""
    return next((name for wanted, name in LANDINGS if roles & wanted), LANDING_WITHOUT_ROLE)


def navigation(roles: frozenset[str], path: str) -> list[dict[str, Any]]:
    """Groups of entries this person may use; the longest address that `path` begins with is the current one."""
    groups: list[dict[str, Any]] = []
    reached: list[dict[str, Any]] = []
    for title, places in NAVIGATION:
        entries: list[dict[str, Any]] = [
            {"place": place, "url": url, "is_current": False}
            for place in places
            if roles & place.roles and (url := address(place.name))
        ]
        reached += [entry for entry in entries if path.startswith(entry["url"])]
        if entries:
            groups.append({"title": title, "entries": entries})
    if reached:
        max(reached, key=lambda entry: len(entry["url"]))["is_current"] = True
    return groups


def the_one_room(incident: int, path: str) -> list[dict[str, Any]]:
    """All the navigation of who came in by a link."""
    url = reverse("war_room", args=[incident])
    place = Place("war_room", f"MI-{incident}", "alert-octagon", GUEST)
    return [{"title": "", "entries": [{"place": place, "url": url, "is_current": path.startswith(url)}]}]


class Frame:
    """Lazy, so that a fragment or an error page pays for nothing it does not show."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def user(self) -> Any:
        return getattr(self._request, "user", None)

    @property
    def roles(self) -> frozenset[str]:
        return roles_of(self.user)

    @property
    def only_incident(self) -> int | None:
        """The incident a guest's link is for; None for everybody else."""
        return getattr(self.user, "only_incident", None)

    @property
    def navigation(self) -> list[dict[str, Any]]:
        if not hasattr(self, "_navigation"):
            only = self.only_incident
            self._navigation = (
                navigation(self.roles, self._request.path) if only is None else the_one_room(only, self._request.path)
            )
        return self._navigation

    @property
    def bottom(self) -> list[dict[str, Any]]:
        """The three entries a phone shows at its lower edge; the rest is behind "Menu"."""
        return [entry for group in self.navigation for entry in group["entries"]][:3]

    @property
    def theme(self) -> str:
        """light, dark, or empty: as the device says. This device's choice goes before the person's."""
        chosen = self._request.COOKIES.get(THEME_COOKIE) or getattr(self.user, "theme", "")
        return chosen if chosen in THEMES else ""

    @property
    def may_declare(self) -> bool:
        return A.MAJOR_INCIDENT_MANAGER in self.roles

    @property
    def may_acknowledge(self) -> bool:
        """Candidates; `incidents.permissions` decides when it is done."""
        return bool(self.roles & COMMANDERS)

    @property
    def may_propose(self) -> bool:
        return not self.may_declare and bool(self.roles & WORKS_THE_DESK)

    @property
    def ticket_url(self) -> str:
        """Where an open page fetches its ticket for the stream; empty where there is no stream."""
        return address("live_ticket") or ""

    @property
    def server_now(self) -> str:
        """The server's clock, so that ticking figures do not follow a wrong one on the reader's device."""
        return timezone.now().isoformat(timespec="milliseconds")

    @property
    def currency(self) -> str:
        """The organisation's, asked once a page."""
        if not hasattr(self, "_currency"):
            self._currency = Organisation.current().currency
        return self._currency

    @property
    def troubles(self) -> tuple[str, ...]:
        """What is wrong with the machinery behind the messages, for staff; costs nothing, it was looked up before."""
        return watchman.troubles if self.roles & READS_THE_DESK else ()

    @property
    def zone(self) -> str:
        return timezone.get_current_timezone_name()


def frame(request: HttpRequest) -> dict[str, Frame]:
    """Context processor: `frame` in every template."""
    return {"frame": Frame(request)}
