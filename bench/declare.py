"""P5: declaring with many recipients, on an installation of its own: `python -m bench.declare [RECIPIENTS] [faults]`.

Prints how long the request took with 10 and with all recipients, when the first, the fifty of the technical team and
everybody had their mail, beside the same mails sent bare over one connection; and the worker's memory before and after.
With `faults` the worker (beat is a thread of it), Valkey and the mail server are killed during the run: nobody may go
without, and what went out twice is the few mails of the moment of a kill, under the same Message-ID.
"""

import json
import os
import signal
import smtplib
import subprocess
import sys
import tempfile
import time
from collections import Counter
from email.message import EmailMessage
from pathlib import Path

from bench.storm import ROOT, Product, _descendants
from mim.embedded.ports import free_port

PRIORITY_PEOPLE = 50
REPEATED_PER_KILL = 10  # what a quick server takes between two notes of it
_PREPARE = """
from datetime import timedelta
from django.utils import timezone
from incidents.models import ApiKey, RoleHeld, Scope, User
def crowd(name, role, count):
    made = [User(email=f"{{name}}{{n}}@shop.example", name=f"{{name}} {{n}}") for n in range(count)]
    User.objects.bulk_create(made)
    RoleHeld.objects.bulk_create(RoleHeld(user=one, role=role) for one in made)
    return made
manager = crowd("manager", "major_incident_manager", 1)[0]
crowd("staff", "technical_staff", {priority})
crowd("director", "management", 20)
crowd("holder", "key_stakeholder", 30)
crowd("user", "requester", {users})
print("FOUND", ApiKey.issue(manager, name="bench", scopes=list(Scope.values),
      expires_at=timezone.now() + timedelta(hours=1))[1])
"""
_LEFT = """
from django.db.models import Count
from notifications.models import Delivery, FanOut
rows = dict(Delivery.objects.filter(moment="declared", channel="email").values_list("state").annotate(n=Count("pk")))
rows["expanding"] = FanOut.objects.filter(finished_at__isnull=True).count()
import json
print("FOUND", json.dumps(rows))
"""


class Sink:
    """The mail server, a process of its own."""

    def __init__(self, folder: str) -> None:
        self.port, self.book = free_port(), Path(folder) / "book"
        self.book.touch()
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "bench.mail_sink", str(self.port), str(self.book)]
        self.process = subprocess.Popen(command, cwd=ROOT)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def mails(self) -> list[tuple[float, str, str]]:
        lines = (line.split() for line in self.book.read_text().splitlines())
        return [(float(at), address, key) for at, address, key in lines]


def bare(port: int, count: int) -> float:
    """Seconds for as many prepared mails over one kept connection."""
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "bare", "desk@shop.example", "bare@shop.example"
    mail["Message-ID"] = "<bare@shop.example>"
    mail.set_content("x" * 1500)
    raw = mail.as_bytes()
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as link:
        for _ in range(count):
            link.sendmail("desk@shop.example", ["bare@shop.example"], raw)
    return time.perf_counter() - began


def declare(product: Product, key: str, title: str, **fields: object) -> float:
    """Seconds of the request. Ends the command when it is refused."""
    import http.client

    link = http.client.HTTPConnection("127.0.0.1", product.port, timeout=60)
    body = json.dumps({"title": title, "impact": 1, "urgency": 1, **fields})
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    began = time.perf_counter()
    link.request("POST", "/api/v1/major-incidents", body, headers)
    answer = link.getresponse()
    said = answer.read()
    if answer.status != 201:
        sys.exit(f"{answer.status}: {said.decode()[:500]}")
    return time.perf_counter() - began


def memory(product: Product) -> float:
    """PSS of the worker in MiB."""
    for pid in _descendants(product.up.pid):
        if b"mim.embedded.worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            return sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:")) / 1024
    return 0.0


def share(times: list[float], part: float) -> float:
    return times[min(len(times) - 1, int(len(times) * part))]


def run(product: Product, sink: Sink, recipients: int, *, faults: bool) -> None:
    users = recipients - PRIORITY_PEOPLE - 51
    key = product.found(_PREPARE.format(priority=PRIORITY_PEOPLE, users=users))
    drill = min(declare(product, key, f"Drill {n}", is_drill=True) for n in range(3))
    print(f"limit: {recipients:,} bare mails over one connection in {bare(sink.port, recipients):.2f} s", flush=True)
    before = memory(product)
    sent_before = len(sink.mails())
    began = time.time()
    took = declare(product, key, "Checkout is down")
    kills = trouble(product, sink) if faults else 0
    settle(product)
    time.sleep(1)
    fresh = [mail for mail in sink.mails()[sent_before:] if mail[0] >= began]
    told = Counter((address, key) for _, address, key in fresh)
    first: dict[str, float] = {}
    for at, address, _ in fresh:
        first.setdefault(address, at - began)
    people = {a: s for a, s in first.items() if a.endswith("@shop.example") and not a.startswith("bare")}
    urgent = sorted(seconds for address, seconds in people.items() if address.startswith("staff"))
    times = sorted(people.values())
    missed = recipients - len(people)
    doubled = sum(count - 1 for count in told.values())
    keys = Counter(address for address, _ in told)
    print(f"request {took * 1000:.0f} ms with {recipients:,} recipients, {drill * 1000:.0f} ms for a drill to nobody")
    print(
        f"first {times[0]:.2f} s, fifty of the technical team p95 {share(urgent, 0.95):.2f} s, "
        f"all p95 {share(times, 0.95):.2f} s, last {times[-1]:.2f} s; worker {before:.0f} → {memory(product):.0f} MiB"
    )
    print(f"{len(people):,} people told, {missed} not; {kills} kills, {doubled} mails twice under one Message-ID")
    print(f"more than one mail of different identity: {sum(1 for count in keys.values() if count > 1)}")
    if missed or doubled > kills * REPEATED_PER_KILL:
        sys.exit("Somebody went without, or too much went out twice.")


def trouble(product: Product, sink: Sink) -> int:
    """The worker three times, Valkey, and the mail server for five seconds; answers how many were killed."""
    kills = 0
    for word in ("mim.embedded.worker", "valkey-server", "mim.embedded.worker", "mim.embedded.worker"):
        time.sleep(3)
        kills += product.kill(word)
        print(f"  {time.strftime('%H:%M:%S')} killed {word}", flush=True)
    sink.stop()
    print("  the mail server is stopped for 5 s", flush=True)
    time.sleep(5)
    sink.start()
    return kills + 1


def settle(product: Product) -> None:
    until = time.monotonic() + 600
    while True:
        left = json.loads(product.found(_LEFT))
        if not (left.get("queued") or left.get("sending") or left["expanding"]):
            print(f"deliveries by state: {left}")
            return
        if time.monotonic() > until:
            sys.exit(f"It does not end: {left}")
        time.sleep(1)


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    with tempfile.TemporaryDirectory(prefix="mim-declare-") as folder:
        Path(folder).chmod(0o755)
        sink = Sink(folder)
        os.environ["MIM_EMAIL_URL"] = f"smtp://127.0.0.1:{sink.port}"
        product = Product(folder)
        try:
            product.wait()
            run(product, sink, numbers[0] if numbers else 10_000, faults="faults" in sys.argv)
        finally:
            product.up.send_signal(signal.SIGINT)
            product.up.wait(60)
            sink.stop()


if __name__ == "__main__":
    main()
