"""What `up` says once everything answers."""

import argparse
import http.client
import os
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

DEMO_NAMES = (
    "admin",
    "manager",
    "deputy",
    "technician",
    "engineer",
    "change",
    "problem",
    "consultant",
    "management",
    "stakeholder",
    "servicedesk",
    "requester",
)


def answers(host: str, port: int, path: str, environment: Mapping[str, str]) -> bool:
    """True when the page answers 200 there."""
    return status(host, port, path, environment) == 200


def status(host: str, port: int, path: str, environment: Mapping[str, str]) -> int:
    """The status a page answers with; 0 when nothing answers within three seconds."""
    connection = http.client.HTTPConnection(host, port, timeout=3)
    public = urlsplit(environment.get("MIM_PUBLIC_URL", ""))
    headers = {"Host": public.netloc or f"{host}:{port}", "Connection": "close"}
    if public.scheme == "https":
        headers["X-Forwarded-Proto"] = "https"
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def text(
    environment: Mapping[str, str], var: Path, options: argparse.Namespace, *, seconds: float, data: Path | None
) -> str:
    """Address, how to sign in, how to stop. `data` is the folder of our own database; None without one."""
    address = environment["MIM_PUBLIC_URL"]
    lines = ["", f"MIM is ready after {seconds:.1f} s:  {address}/", ""]
    password_file = var / "demo_password"
    if not options.no_demo and password_file.exists():
        lines += [f"Sign in as  {' '.join(name + '@' for name in DEMO_NAMES[:6])}"]
        lines += [f"            {' '.join(name + '@' for name in DEMO_NAMES[6:])}"]
        lines += ["            each with demo.example behind it, for example manager@demo.example"]
        lines += [f"Password    {password_file.read_text().strip()}   (kept in {password_file})", ""]
    elif link := first_administrator_link(environment, options):
        lines += ["Nobody can sign in yet. Make the first administrator with this link (once, within a day):"]
        lines += [f"  {link}", ""]
    lines += [f"E-mail in   {mail_in(environment)}", ""]
    if mail := environment.get("MIM_MAIL_CATCHER_DIR"):
        lines += [f"No mail server is configured (MIM_EMAIL_URL): mails are kept in {mail}"]
    if data and var not in data.parents:
        lines += [f"The database is in {data}, because its account cannot enter {var}."]
    lines += [f"Logs are in {var / 'log'}. Ctrl-C stops everything."]
    return "\n".join(lines)


def mail_in(environment: Mapping[str, str]) -> str:
    """Where mail comes in and for whom at least."""
    host, port = environment["MIM_MAIL_IN_HOST"], environment["MIM_MAIL_IN_PORT"]
    scheme = "lmtp" if environment.get("MIM_MAIL_IN_LMTP", "0").lower() in ("1", "true", "yes", "on") else "smtp"
    desk = parseaddr(environment.get("MIM_MAIL_FROM", ""))[1] or "servicedesk@localhost"
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{port}   for {desk} and the addresses set under “E-mail in”"


def first_administrator_link(environment: Mapping[str, str], options: argparse.Namespace) -> str:
    """A fresh one-time link; empty when the running product says that an administrator exists."""
    os.environ.update(environment)
    from mim.first_administrator_token import make_token

    path = f"/first-administrator/{make_token()}/"
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(options.host, options.host)  # noqa: S104
    return environment["MIM_PUBLIC_URL"] + path if answers(near, options.port, path, environment) else ""
