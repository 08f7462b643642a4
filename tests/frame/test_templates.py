"""Rules every template keeps: nothing the content policy refuses, no icon that is not there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from mim import badges, frame

ROOT = settings.BASE_DIR
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MAILS = ROOT / "templates" / "notifications" / "messages"
PAGES = [path for path in TEMPLATES if MAILS not in path.parents]  # mail readers know inline styles only
ICONS = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static" / "vendor" / "icons.svg").read_text()))
COMMENT = re.compile(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", re.DOTALL)


def source(path: Path) -> str:
    return COMMENT.sub("", path.read_text())


def name(path: Path) -> str:
    return str(path.relative_to(ROOT / "templates"))


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_template_has_nothing_the_content_policy_refuses(path):
    text = source(path)
    assert not re.search(r"<style\b", text), "a style element"
    assert not re.search(r"\sstyle\s*=", text), "a style attribute"
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text), "an on… attribute"
    assert not re.search(r"\shx-on\b", text), "hx-on evaluates text"
    assert "javascript:" not in text
    for script in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in script or 'type="application/json"' in script, script
    for address in re.findall(r"(?:src|href)=\"(https?:)?//[^\"]*\"", text):
        pytest.fail(f"loads from another host: {address}")


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_template_uses_icons_of_the_sprite(path):
    used = set(re.findall(r"\{% icon [\"']([^\"']+)[\"']", source(path)))
    used |= set(re.findall(r"symbol=[\"']([^\"']+)[\"']", source(path)))
    assert used <= ICONS, f"add to static/vendor/icons.txt and run build_icons: {sorted(used - ICONS)}"


def test_badges_and_navigation_use_icons_of_the_sprite():
    used = {look.icon for table in badges.KINDS.values() for look in table.values()}
    used |= {place.icon for _, places in frame.NAVIGATION for place in places}
    assert used <= ICONS


def test_scripts_use_icons_of_the_sprite():
    text = (ROOT / "static" / "mim.js").read_text()
    used = set(re.findall(r"\bicon\(\"([a-z0-9-]+)\"", text))
    assert used and used <= ICONS


def test_badge_tones_and_tag_classes_exist_in_the_stylesheet():
    css = (ROOT / "static" / "mim.css").read_text()
    tones = {look.tone for table in badges.KINDS.values() for look in table.values() if look.tone}
    assert {tone for tone in tones if f".{tone}" not in css} == set()


def test_templates_are_written_as_djade_writes_them():
    djade = Path(sys.executable).parent / "djade"
    run = subprocess.run(
        [str(djade), "--target-version", "5.2", "--check", *map(str, TEMPLATES)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
