"""What stands around every page: navigation by role, theme, where live pages listen, where people land.

Other rooms are named by their URLs only; an address that is not there is left out of the navigation.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

THEMES = ("light", "dark")  # anything else follows the device
THEME_COOKIE = "theme"

MAJOR_INCIDENT_MANAGER = "major_incident_manager"
ADMINISTRATOR = "administrator"
DESK = frozenset({"service_desk_technician", "service_desk_manager"})
WORKERS = frozenset({"technical_staff", "change_manager", "problem_manager", "external_consultant"})
COMMANDERS = frozenset({MAJOR_INCIDENT_MANAGER, "service_desk_manager"})
DECIDERS = frozenset({"management", "key_stakeholder"})
STAFF = DESK | WORKERS | COMMANDERS | {ADMINISTRATOR} - {"external_consultant"}
INSIDERS = STAFF | DECIDERS
EVERYBODY = INSIDERS | {"external_consultant", "requester"}
ADMINISTRATORS = frozenset({ADMINISTRATOR})


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
            Place("command", "Command", "flame", COMMANDERS | ADMINISTRATORS),
            Place("my_work", "My work", "checklist", STAFF | {"external_consultant"}),
            Place("overview", "Overview", "layout-dashboard", DECIDERS | COMMANDERS | ADMINISTRATORS),
            Place("portal", "Portal", "lifebuoy", EVERYBODY - {"external_consultant"}),
        ),
    ),
    (
        "Records",
        (
            Place("ticket_list", "Tickets", "ticket", STAFF),
            Place("major_incident_list", "Major incidents", "alert-octagon", INSIDERS | {"external_consultant"}),
            Place("problem_list", "Problems", "bug", STAFF),
            Place("change_list", "Changes", "git-branch", STAFF),
            Place("document_list", "Knowledge", "book-2", EVERYBODY),
            Place("service_list", "Services", "sitemap", INSIDERS),
            Place("kpi_dashboard", "KPIs", "chart-line", INSIDERS),
        ),
    ),
    (
        "Administration",
        (
            Place("people", "People", "users", ADMINISTRATORS),
            Place("raci", "RACI matrix", "table", ADMINISTRATORS | COMMANDERS),
            Place("mail_catcher", "Mail", "mail", ADMINISTRATORS),
            Place("api_keys", "API keys", "key", ADMINISTRATORS),
        ),
    ),
)

# Strongest first: who holds several roles lands where the most is asked of them (screens: "Who lands where").
LANDINGS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({MAJOR_INCIDENT_MANAGER}), "command"),
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
    """Account role keys of a signed-in person; empty for nobody and for somebody without a role."""
    if user is None or not user.is_authenticated or not user.is_active:
        return frozenset()
    return frozenset(str(role) for role in getattr(user, "account_roles", ()))


def landing_of(roles: frozenset[str]) -> str:
    """The URL name a person with these roles lands on after signing in."""
    return next((name for wanted, name in LANDINGS if roles & wanted), LANDING_WITHOUT_ROLE)


def navigation(roles: frozenset[str], path: str) -> list[dict[str, Any]]:
    """Groups of entries this person may use; the longest address that `path` begins with is the current one."""
    groups = []
    for title, places in NAVIGATION:
        entries = [
            {"place": place, "url": url, "is_current": False}
            for place in places
            if roles & place.roles and (url := address(place.name))
        ]
        if entries:
            groups.append({"title": title, "entries": entries})
    matching = [entry for group in groups for entry in group["entries"] if path.startswith(entry["url"])]
    if matching:
        max(matching, key=lambda entry: len(entry["url"]))["is_current"] = True
    return groups


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
    def navigation(self) -> list[dict[str, Any]]:
        if not hasattr(self, "_navigation"):
            self._navigation = navigation(self.roles, self._request.path)
        return self._navigation

    @property
    def bottom(self) -> list[dict[str, Any]]:
        """The three entries a phone shows at its lower edge; the rest is behind "Menu"."""
        return [entry for group in self.navigation for entry in group["entries"]][:3]

    @property
    def theme(self) -> str:
        """light, dark, or empty: as the device says."""
        chosen = self._request.COOKIES.get(THEME_COOKIE, "")
        return chosen if chosen in THEMES else ""

    @property
    def may_declare(self) -> bool:
        return MAJOR_INCIDENT_MANAGER in self.roles

    @property
    def may_propose(self) -> bool:
        return not self.may_declare and bool(self.roles & (DESK | {"technical_staff"}))

    @property
    def ticket_url(self) -> str:
        """Where an open page fetches its ticket for the stream; empty where there is no stream."""
        return address("live_ticket") or ""

    @property
    def server_now(self) -> str:
        """The server's clock, so that ticking figures do not follow a wrong one on the reader's device."""
        return timezone.now().isoformat(timespec="milliseconds")

    @property
    def zone(self) -> str:
        return timezone.get_current_timezone_name()


def frame(request: HttpRequest) -> dict[str, Frame]:
    """Context processor: `frame` in every template."""
    return {"frame": Frame(request)}
