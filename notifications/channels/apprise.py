"""Other services through apprise, which sends by itself: only to services whose host is fixed and public.

`outgoing.py` cannot watch its connections. So a service whose host somebody names is open only where an administrator
opened private networks anyway, redirects are off, and nothing but harmless settings may stand behind the `?`: some of
them make apprise read files and addresses.
"""

import logging
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings

from incidents.outgoing import OutgoingRefused, allowed_addresses
from notifications import routing
from notifications.channels import Outcome, Outgoing
from notifications.channels.card import link_of, severity_of
from notifications.channels.remote import RemoteChannel, Values, cut, first_words, words
from notifications.models import ChannelKey

if TYPE_CHECKING:
    from apprise import AppriseAsset

FIXED_HOSTS: tuple[str, ...] = (
    *("bulksms", "clickatell", "d7sms", "discord", "gchat", "httpsms", "ifttt", "join", "line", "msgbird"),
    *("notifiarr", "pagerduty", "pbul", "plivo", "pover", "prowl", "psafer", "pushed", "pushy"),
    *("signl4", "spike", "splunk", "spush", "threema", "vonage", "wxteams"),
)
OWN_HOSTS: tuple[str, ...] = ("gotifys", "nctalks", "rockets")
OWN_HOSTS_IN_THE_CLEAR: tuple[str, ...] = ("gotify", "nctalk", "rocket")
HARMLESS = ("priority", "sound", "thread")
SECONDS = 8
LONGEST_TITLE, LONGEST_TEXT = 250, 4000
_STATUS = re.compile(r"\b(4\d\d|5\d\d)\b")


class AppriseChannel(RemoteChannel):
    key = ChannelKey.APPRISE.value

    def tell(self, one: Outgoing, values: Values) -> Outcome:
        # Twenty megabytes in every process that only looks at the list of channels would be too much.
        from apprise import Apprise, LogCapture, NotifyFormat

        url = values.place["url"]
        check(url)
        service = Apprise.instantiate(url, asset=_asset(), suppress_exceptions=True)
        if service is None:
            raise OutgoingRefused("This service does not understand the address. Look its form up at appriseit.com.")
        service.redirects = False
        service.socket_connect_timeout = service.socket_read_timeout = SECONDS / 2
        told = Apprise()
        told.add(service)
        link = link_of(one.message)
        body = "\n\n".join(filter(None, (cut(words(one), LONGEST_TEXT), link)))
        with LogCapture(level=logging.WARNING, fmt="%(message)s") as log:
            is_taken = told.notify(
                body=body,
                title=cut(one.message.subject, LONGEST_TITLE),
                notify_type=_type_of(one),
                body_format=NotifyFormat.TEXT,
            )
            said = first_words(log.getvalue())
        if is_taken:
            return Outcome(True, f"Taken by {service.service_name}")
        return _refused(said, str(service.service_name))


def open_schemes() -> tuple[str, ...]:
    """What an address may begin with, as this installation is configured."""
    own = (*OWN_HOSTS, *(OWN_HOSTS_IN_THE_CLEAR if settings.OUTGOING_HTTP else ()))
    return (*FIXED_HOSTS, *(own if settings.OUTGOING_NETWORKS else ()))


def check(url: str) -> None:
    """Raises OutgoingRefused when this address may not be used, saying what may be."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme not in open_schemes():
        raise OutgoingRefused(f"“{scheme[:20] or url[:20]}” is not open here. Use one of {', '.join(open_schemes())}.")
    if unknown := [name for name, _ in parse_qsl(parts.query, keep_blank_values=True) if name.lower() not in HARMLESS]:
        raise OutgoingRefused(f"Leave out “{unknown[0][:40]}”: behind the ? only {', '.join(HARMLESS)} may stand.")
    if scheme not in FIXED_HOSTS:
        if not parts.hostname:
            raise OutgoingRefused("The address names no host.")
        allowed_addresses(parts.hostname, parts.port or (443 if scheme.endswith("s") else 80))


def _asset() -> "AppriseAsset":
    """Ours instead of theirs: no pictures from other hosts, no redirects, no secrets in their log."""
    from apprise import AppriseAsset

    return AppriseAsset(
        app_id="MIM",
        app_desc="Major incidents",
        app_url=settings.PUBLIC_URL,
        image_url_mask="",
        image_url_logo="",
        http_redirects=False,
        secure_logging=True,
        async_mode=False,
        service_timeout=SECONDS,
    )


def _type_of(one: Outgoing) -> str:
    """One of apprise's types: a colour or a picture, where a service has them."""
    if one.delivery.moment in ("restored", "resolved"):
        return "success"
    is_grave = one.delivery.moment in routing.PAGES or severity_of(one.delivery.incident) == "SEV1"
    return "failure" if is_grave else "warning"


def _refused(said: str, service: str) -> Outcome:
    """apprise answers yes or no; what happened stands in its log."""
    found = _STATUS.search(said)
    is_final = found is not None and found[1].startswith("4") and found[1] not in ("408", "425", "429")
    return Outcome(False, said or f"{service} did not take it.", is_final, blames_address=True)
