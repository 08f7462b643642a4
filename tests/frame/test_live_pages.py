"""Open pages follow what happens elsewhere, in a real browser against the real stream server."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing

import pytest
import redis
from playwright.sync_api import Browser, Page, expect

from tests.frame import live_urls

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser(chromium) -> Browser:
    return chromium


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stream:
    """The stream server as `up` starts it, which can be stopped and started again."""

    def __init__(self, settings, public_url: str) -> None:
        self.port = free_port()
        self.settings = settings
        self.environment = {**os.environ, "MIM_PUBLIC_URL": public_url, "REDIS_URL": settings.REDIS_URL}
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "uvicorn", "mim.asgi:application", "--port", str(self.port)]
        command += ["--log-level", "warning", "--timeout-graceful-shutdown", "1"]
        self.process = subprocess.Popen(command, env=self.environment, cwd=self.settings.BASE_DIR)
        for _ in range(200):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/live/healthz", timeout=1) as answer:
                    if json.load(answer)["broker"]:
                        return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError("the stream server did not come up")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def stream(settings, live_server):
    server = Stream(settings, live_server.url)
    origin = f"http://127.0.0.1:{server.port}"
    settings.STREAM_ORIGIN = origin
    settings.PUBLIC_URL = live_server.url
    policy = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": {**policy, "connect-src": ["'self'", origin]}}
    server.start()
    yield server
    server.stop()


@pytest.fixture
def unopened(browser, settings, live_server, stream, client, manager) -> Iterator[Page]:
    """A signed-in tab that has not been to the page yet."""
    settings.ROOT_URLCONF = "tests.frame.live_urls"
    live_urls.fetched.clear()
    client.force_login(manager)
    context = browser.new_context()
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    yield context.new_page()
    context.close()


@pytest.fixture
def page(unopened, live_server) -> Page:
    """The page, open and live."""
    unopened.complaints = []
    unopened.on("console", lambda said: unopened.complaints.append(said.text) if said.type == "error" else None)
    unopened.on("pageerror", lambda error: unopened.complaints.append(str(error)))
    unopened.goto(f"{live_server.url}/page/")
    expect(unopened.locator("[data-live-chip]")).to_have_text("Live", timeout=10_000)
    return unopened


def nudge(settings, topic: str = "MI-12") -> None:
    message = json.dumps({"topic": topic, "seq": None, "kind": "changed"})
    redis.Redis.from_url(settings.REDIS_URL).publish(f"mim:live:{topic}", message)


def test_a_change_elsewhere_shows_without_reload(page, settings):
    nudge(settings)
    expect(page.locator("#kept p")).to_have_text("kept 1", timeout=2000)
    expect(page.locator("#held p")).to_have_text("held 1", timeout=2000)
    assert page.complaints == []


def test_a_burst_is_fetched_once_a_second_at_most(page, settings):
    for _ in range(30):
        nudge(settings)
    page.wait_for_timeout(1600)
    assert 1 <= live_urls.fetched.count("kept") <= 3


def test_a_change_between_loading_and_listening_is_not_missed(unopened, settings, live_server):
    nudge(settings)
    unopened.goto(f"{live_server.url}/page/")
    expect(unopened.locator("#kept p")).to_have_text("kept 1", timeout=5000)


def test_other_topics_leave_the_page_alone(page, settings):
    nudge(settings, "MI-99")
    page.wait_for_timeout(400)
    assert live_urls.fetched == []


def test_nobody_is_disturbed_while_typing(page, settings):
    page.fill("#held-text", "half a sentence")
    page.fill("#kept-text", "words to keep")
    nudge(settings)
    expect(page.locator("#kept p")).to_have_text("kept 1", timeout=2000)
    expect(page.locator("#kept-text")).to_have_value("words to keep")
    expect(page.locator("#kept-text")).to_be_focused()
    expect(page.locator("#held p")).to_have_text("held 0")
    page.fill("#held-text", "")
    page.focus("#kept-text")
    expect(page.locator("#held p")).to_have_text("held 1", timeout=3000)


def test_nor_whoever_begins_to_type_while_the_answer_is_on_its_way(page, settings):
    waiting = []
    page.route("**/part/held/**", lambda route: route.continue_() if waiting else waiting.append(route))
    nudge(settings)
    page.wait_for_timeout(300)
    (asked,) = waiting
    page.fill("#held-text", "half a sentence")
    with page.expect_response("**/part/held/**"):
        asked.continue_()
    page.wait_for_timeout(300)
    expect(page.locator("#held-text")).to_have_value("half a sentence")
    expect(page.locator("#held p")).to_have_text("held 0")
    page.fill("#held-text", "")
    page.focus("#kept-text")
    expect(page.locator("#held p")).to_have_text(re.compile("held [12]"), timeout=3000)


def test_after_the_stream_was_away_everything_is_fetched_again(page, settings, stream):
    stream.stop()
    expect(page.locator("[data-live-chip]")).to_have_text("Reconnecting", timeout=5000)
    stream.start()
    expect(page.locator("[data-live-chip]")).to_have_text("Live", timeout=20_000)
    expect(page.locator("#kept p")).not_to_have_text("kept 0", timeout=5000)


def test_two_pages_of_one_browser_share_the_stream(page, settings, live_server):
    second = page.context.new_page()
    second.goto(f"{live_server.url}/page/")
    expect(second.locator("[data-live-chip]")).to_have_text("Live", timeout=10_000)
    nudge(settings)
    expect(page.locator("#kept p")).not_to_have_text("kept 0", timeout=3000)
    expect(second.locator("#kept p")).not_to_have_text("kept 0", timeout=3000)


def test_the_keys_and_the_palette_answer(page):
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    assert page.complaints == []


def test_the_theme_changes_at_once_and_stays(page):
    page.click("[popovertarget=account-menu]")
    page.click("[name=theme][value=dark]")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
