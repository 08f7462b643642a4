"""The whole product, started as a person starts it, and people in front of real browsers."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from mim.embedded import throwaway
from mim.embedded.ports import free_port
from mim.embedded.services import ROOT
from tests.browser.organisation import PASSWORD
from tests.platform.conftest import environment_for, until


class Product:
    """`manage.py up` in a folder of its own: web, stream, worker with beat, mail catcher, database, broker."""

    def __init__(self, home: Path) -> None:
        self.home, self.port = home, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = environment_for(home, "", "")
        del self.environment["DATABASE_URL"], self.environment["REDIS_URL"]
        self.output = home / "output.txt"

    def start(self) -> None:
        command = [sys.executable, "manage.py", "up", "--no-demo", "--port", str(self.port)]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=output, stderr=output, start_new_session=True
            )
        until(lambda: "MIM is ready" in self.output.read_text() or self.process.poll() is not None, 150, "the start")
        assert self.process.poll() is None, self.output.read_text()

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(30)

    def do(self, name: str) -> str:
        """Runs a function of `organisation` inside the product; what it printed."""
        services = json.loads((self.home / "var/run/services.json").read_text())
        environment = self.environment | {
            "DATABASE_URL": services["database_url"],
            "REDIS_URL": services["redis_url"],
            "PYTHONPATH": str(ROOT),
        }
        code = f"from tests.browser import organisation; organisation.{name}()"
        command = [sys.executable, "manage.py", "shell", "-v0", "-c", code]
        answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    """One for each story: none stumbles over the incidents of another."""
    with throwaway.folder() as home:
        running = Product(home)
        running.start()
        try:
            running.do("make")
            yield running
        finally:
            running.stop()


class Person:
    """Somebody signed in, with one tab, and everything the browser complained about."""

    def __init__(self, browser: Browser, product: Product, part: str) -> None:
        self.part, self.product, self.browser = part, product, browser
        self.context: BrowserContext = browser.new_context(
            base_url=product.url, viewport={"width": 1440, "height": 900}, color_scheme="light"
        )
        self.complaints: list[str] = []
        self.page: Page = self.tab()
        self.page.goto("/accounts/login/")
        self.page.get_by_label("E-mail").first.fill(f"{part}@example.org")
        self.page.locator("input[type=password]").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(lambda url: "login" not in url)

    def tab(self) -> Page:
        page = self.context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def _hear(self, said) -> None:
        # A refusal (403, 422) is said to the person; the browser's own line about it is no complaint.
        expected = any(f"status of {code}" in said.text for code in (403, 422))
        if said.type in ("error", "warning") and not expected:
            self.complaints.append(f"{said.text} at {said.location.get('url', '')}")

    def go(self, path: str) -> Page:
        self.page.goto(path)
        return self.page

    def press(self, name: str, *, within: str = "main") -> None:
        self.page.locator(within).get_by_role("button", name=name, exact=True).or_(
            self.page.locator(within).get_by_role("link", name=name, exact=True)
        ).first.click()

    def send(self, name: str) -> None:
        """Sends the open dialog, which closes."""
        dialog = self.page.locator("#dialog")
        dialog.locator(".dialog-footer").get_by_role("button", name=name, exact=True).click()
        expect(dialog).not_to_be_visible(timeout=15_000)

    @property
    def dialog(self):
        dialog = self.page.locator("#dialog")
        expect(dialog).to_be_visible(timeout=10_000)
        return dialog


@pytest.fixture(scope="module")
def people(chromium, product) -> Iterator[dict[str, Person]]:
    """Signed in on first use, in browsers of their own."""

    class Everybody(dict):
        def __missing__(self, part: str) -> Person:
            self[part] = Person(chromium, product, part)
            return self[part]

    everybody = Everybody()
    yield everybody
    for person in everybody.values():
        person.context.close()


@pytest.fixture(scope="session")
def axe() -> Axe:
    return Axe()
