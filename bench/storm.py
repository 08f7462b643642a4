"""A storm from monitoring, on an installation of its own: `python -m bench.storm [keys|hosts]`.

keys: 20,000 alerts of 40 keys within a minute, in bodies of 1 to 500, while the worker is killed and started again:
every one accounted for, one alert a key, one candidate; the desk's page is asked all the while.
hosts (P3): 100,000 alerts of one service from as many hosts: exactly one candidate, none lost, no 5xx, folded within
3.4 times what bare SQL takes for the same rows in the same run; then again with a web and a background worker killed
in the middle.
"""

import http.client
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.alert_bodies import group
from mim.embedded.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
KEY = secrets.token_urlsafe(24)
STORM_ALERTS, STORM_KEYS, STORM_SECONDS, KILLS = 20_000, 40, 60, 3
HOSTS, BODY = 100_000, 500
RATIO = 3.4
"""The goal of P3 beside its limit: 4 s beside 1.18 s on the machine it was written on."""
_PREPARE = f"""
from django.utils import timezone
from incidents.models import AlertRule, Integration, Service
from incidents.models.access import digest
service, _ = Service.objects.get_or_create(slug="storm", defaults={{"name": "Storm"}})
rule, _ = AlertRule.objects.get_or_create(name="storm", defaults={{"outcome": "candidate", "position": 1}})
rule.services.add(service)
Integration.objects.create(
    name="storm", kind="alertmanager", key_sha256=digest("{KEY}"), key_prefix="storm", created_at=timezone.now()
)
"""
_SIGN_IN = """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from incidents.models import User
person = User.objects.filter(role_rows__role="service_desk_technician", is_active=True).first()
session = SessionStore()
session[SESSION_KEY] = str(person.pk)
session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
session[HASH_SESSION_KEY] = person.get_session_auth_hash()
session.save()
print("FOUND", session.session_key)
"""
_COUNT = """
import json
from django.db.models import Max, Min, Sum
from incidents.models import Alert, Candidate, Payload
mine = Alert.objects.filter(integration__name="storm")
bodies = Payload.objects.filter(integration__name="storm")
last = bodies.order_by("-id")[:{bodies}].aggregate(began=Min("received_at"), ended=Max("processed_at"))
print("FOUND", json.dumps({
    "seconds": (last["ended"] - last["began"]).total_seconds() if last["ended"] else 0,
    "waiting": Payload.objects.filter(state="waiting").count(),
    "failed": Payload.objects.filter(state="failed").count(),
    "bodies": bodies.filter(state="done").count(),
    "alerts": mine.count(),
    "reports": mine.aggregate(n=Sum("reports"))["n"] or 0,
    "undecided": mine.filter(outcome="").count(),
    "candidates": Candidate.objects.filter(service__slug="storm").count(),
    "in_candidate": mine.filter(candidate__isnull=False).count(),
}))
"""


_BARE = """
import json
import time
from django.db import connection
from django.utils import timezone
with connection.cursor() as cursor:
    cursor.execute("DROP TABLE IF EXISTS bench_bare")
    cursor.execute("CREATE TABLE bench_bare (LIKE incidents_alert INCLUDING DEFAULTS INCLUDING IDENTITY)")
    cursor.execute("ALTER TABLE bench_bare ADD PRIMARY KEY (id), ADD UNIQUE (integration_id, dedup_key, episode)")
    began, now = time.perf_counter(), timezone.now()
    for start in range(0, {hosts}, {body}):
        numbers = range(start, start + {body})
        cursor.execute(
            "INSERT INTO bench_bare AS had (integration_id, dedup_key, episode, status, severity, title, body, labels, "
            "link, started_at, state_at, first_received_at, last_received_at, reports, changes, recent_changes, "
            "is_flapping, in_maintenance, is_drill, outcome, candidate_id) SELECT 1, key, '2026-03-02T09:15:00.000Z', "
            "'firing', 'critical', title, 'No answer for five minutes.', labels::jsonb, "
            "'http://prometheus.example.org/graph?g0.expr=up', %s, %s, %s, %s, 1, 1, ARRAY[%s], false, false, false, "
            "'candidate', 1 FROM unnest(%s::text[], %s::text[], %s::text[]) AS given (key, title, labels) "
            "ON CONFLICT (integration_id, dedup_key, episode) DO UPDATE SET reports = had.reports + 1",
            [now, now, now, now, now, [f"bare{n:012x}" for n in numbers],
             [f"bare-{n} does not answer" for n in numbers],
             [json.dumps({"alertname": "HostDown", "instance": f"bare-{n}:9100"}) for n in numbers]])
    print("FOUND", time.perf_counter() - began)
    cursor.execute("DROP TABLE bench_bare")
""".replace("{hosts}", str(HOSTS)).replace("{body}", str(BODY))
"""The limit: the same rows, unique keys and nothing else, one statement and one commit for each body."""


class Product:
    """`manage.py up` in a folder of its own, stopped at the end."""

    def __init__(self, folder: str) -> None:
        self.port = free_port()
        self.environment = os.environ | {"MIM_VAR_DIR": folder}
        self.log = Path(folder) / "up.log"
        with self.log.open("wb") as log:
            self.up = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--port", str(self.port)],
                cwd=ROOT, env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip

    def wait(self) -> None:
        until = time.monotonic() + 300
        while True:
            try:
                if self.ask("GET", "/readyz")[0] == 200:
                    return
            except OSError:
                pass
            if time.monotonic() > until or self.up.poll() is not None:
                sys.exit(f"It did not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.5)

    def ask(self, method: str, path: str, body: bytes | None = None, session: str = "") -> tuple[int, float]:
        began = time.monotonic()
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            headers = {"Cookie": f"sessionid={session}"} if session else {"Content-Type": "application/json"}
            link.request(method, path, body, headers)
            answer = link.getresponse()
            answer.read()
            return answer.status, time.monotonic() - began
        finally:
            link.close()

    def shell(self, code: str) -> str:
        command = [sys.executable, "manage.py", "shell", "-c", code]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        return done.stdout

    def found(self, code: str) -> str:
        """What the code prints after the word FOUND."""
        line = next(line for line in self.shell(code).splitlines() if line.startswith("FOUND"))
        return line.removeprefix("FOUND").strip()

    def count(self) -> dict[str, float]:
        return json.loads(self.found(_COUNT.replace("{bodies}", str(HOSTS // BODY))))

    def kill(self, word: str) -> bool:
        """One process of this product whose command has the word; the supervisor starts it again."""
        mine = _descendants(self.up.pid)
        for pid in reversed(mine):
            if word in Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode():
                os.kill(pid, signal.SIGKILL)
                return True
        return False

    def stop(self) -> None:
        self.up.send_signal(signal.SIGINT)
        self.up.wait(60)


def _descendants(pid: int) -> list[int]:
    found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [one for child in found for one in (child, *_descendants(child))]


def send(product: Product, body: bytes) -> int:
    """As a sender does: again after a 5xx or a connection that broke. Answers how many answers were 5xx."""
    errors = 0
    while True:
        try:
            status, _ = product.ask("POST", f"/in/alertmanager/{KEY}", body)
        except (OSError, http.client.HTTPException):
            time.sleep(0.2)
            continue
        if status == 202:
            return errors
        if status < 500:
            sys.exit(f"The door said {status}.")
        errors += 1
        time.sleep(0.2)


def settle(product: Product) -> dict[str, float]:
    until = time.monotonic() + 300
    while True:
        found = product.count()
        if not found["waiting"] and not found["undecided"]:
            return found
        if time.monotonic() > until:
            sys.exit(f"It does not end: {found}")
        time.sleep(0.2)


def keys(product: Product) -> None:
    """The storm of few keys; exits when something is not accounted for."""
    chance, left, bodies = random.Random(1), STORM_ALERTS, []
    while left:
        size = min(left, chance.choice((1, 1, 1, 2, 5, 20, 100, 500)))
        bodies.append(group([chance.randrange(STORM_KEYS) for _ in range(size)], keys="key", service="storm"))
        left -= size
    pages: list[float] = []
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(product, pages, over))
    watcher.start()
    began = time.monotonic()
    kill_at = [STORM_SECONDS * (n + 1) / (KILLS + 1) for n in range(KILLS)]
    errors = killed = 0
    for number, body in enumerate(bodies):
        time.sleep(max(0.0, began + number * STORM_SECONDS / len(bodies) - time.monotonic()))
        errors += send(product, body)
        if kill_at and time.monotonic() - began > kill_at[0]:
            kill_at.pop(0)
            killed += product.kill("mim.embedded.worker")
    sent = time.monotonic() - began
    found = settle(product)
    over.set()
    watcher.join()
    pages.sort()
    print(
        f"{STORM_ALERTS:,} alerts of {STORM_KEYS} keys in {len(bodies)} bodies in {sent:.0f} s, worker killed {killed}x"
    )
    print(f"found {found}; 5xx {errors}; slowest page of the desk {pages[-1] * 1000:.0f} ms of {len(pages)}")
    expected = {"alerts": STORM_KEYS, "reports": STORM_ALERTS, "candidates": 1, "in_candidate": STORM_KEYS, "failed": 0}
    _compare(found, expected)


def _watch(product: Product, pages: list[float], over: threading.Event) -> None:
    """Opens the desk again and again, signed in."""
    session = product.found(_SIGN_IN)
    while not over.wait(0.5):
        status, seconds = product.ask("GET", "/desk/", session=session)
        if status != 200:
            sys.exit(f"The desk answered {status}.")
        pages.append(seconds)


def hosts(product: Product, name: str, *, kill: bool) -> None:
    """P3; exits when there is not exactly one candidate with every host in it."""
    bodies = [group(range(start, start + BODY), keys=name, service="storm") for start in range(0, HOSTS, BODY)]
    before, before_bare = product.count(), float(product.found(_BARE))
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(send, product, body) for body in bodies]
        if kill:
            waiting[len(waiting) // 2].result()
            killed = [word for word in ("gunicorn", "mim.embedded.worker") if product.kill(word)]
            print(f"killed in the middle: {', '.join(killed)}")
        errors = sum(one.result() for one in waiting)
    accepted = time.monotonic() - began
    found = settle(product)
    bare = [before_bare, float(product.found(_BARE))]
    limit = sum(bare) / 2
    ratio = found["seconds"] / limit
    print(
        f"{name}: {HOSTS:,} alerts accepted in {accepted:.1f} s ({HOSTS / accepted:,.0f}/s), the last body taken up "
        f"{found['seconds']:.1f} s after the first arrived; 5xx {errors}\n"
        f"limit: the same rows in bare SQL in {bare[0]:.2f} s before, {bare[1]:.2f} s after; ratio {ratio:.1f}, "
        f"goal {RATIO}: {'met' if ratio <= RATIO else 'MISSED'}"
    )
    expected = {"alerts": before["alerts"] + HOSTS, "candidates": 1, "failed": 0}
    _compare(found, expected | {"in_candidate": before["in_candidate"] + HOSTS})


def _compare(found: dict[str, float], expected: dict[str, int]) -> None:
    if wrong := {name: (found[name], value) for name, value in expected.items() if found[name] != value}:
        sys.exit(f"found and expected differ: {wrong}")
    print("every one accounted for")


def main() -> None:
    wanted = sys.argv[1:] or ["keys", "hosts"]
    with tempfile.TemporaryDirectory(prefix="mim-storm-") as folder:
        Path(folder).chmod(0o755)
        product = Product(folder)
        try:
            product.wait()
            product.shell(_PREPARE)
            if "keys" in wanted:
                keys(product)
            if "hosts" in wanted:
                hosts(product, "plain", kill=False)
                hosts(product, "shot", kill=True)
        finally:
            product.stop()


if __name__ == "__main__":
    main()
