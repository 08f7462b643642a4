"""What others wrote is registered, licensed, and byte for byte what was taken in."""

import hashlib
import json
import re
from pathlib import Path

from django.conf import settings

VENDOR = settings.BASE_DIR / "static" / "vendor"
REGISTER = json.loads((VENDOR / "VENDOR.json").read_text())
OWN = {"VENDOR.json", "icons.txt"}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_vendored_file_has_the_registered_hash():
    registered = {name: sha for entry in REGISTER for name, sha in entry["files"].items()}
    assert {name: digest(VENDOR / name) for name in registered} == registered


def test_no_vendored_file_is_unregistered():
    registered = {name for entry in REGISTER for name in entry["files"]}
    assert {path.name for path in VENDOR.iterdir()} - OWN == registered


def test_every_entry_names_version_licence_and_source():
    for entry in REGISTER:
        assert all(entry[key] for key in ("name", "version", "licence", "source")), entry
        assert any(name.endswith(".LICENSE") for name in entry["files"]), entry["name"]


def test_the_sprite_holds_exactly_the_listed_icons():
    ids = re.findall(r'<symbol id="([^"]+)"', (VENDOR / "icons.svg").read_text())
    assert ids == sorted(set((VENDOR / "icons.txt").read_text().split()))
