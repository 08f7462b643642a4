"""Write the one icon sprite from the names in static/vendor/icons.txt.

Run after adding a name:  npm pack @tabler/icons && tar xzf tabler-icons-*.tgz
then:                     python3 manage.py build_icons package
"""

import hashlib
import json
import re
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

VENDOR_DIR = settings.BASE_DIR / "static" / "vendor"
DRAWING = re.compile(r"<(?:path|circle|line|polyline|rect|ellipse)\b[^>]*>")


def symbol(name: str, source: str) -> str:
    """One <symbol> holding the drawing of a Tabler outline icon, without its invisible bounding path."""
    shapes = [shape for shape in DRAWING.findall(source) if 'stroke="none"' not in shape]
    drawing = "".join(re.sub(r"\s*/?>$", "/>", shape) for shape in shapes)
    return f'<symbol id="{name}" viewBox="0 0 24 24">{drawing}</symbol>'


def sprite(package: Path, names: list[str]) -> str:
    """The sprite's text; CommandError naming the icons the package does not have."""
    folder = package / "icons" / "outline"
    missing = [name for name in names if not (folder / f"{name}.svg").is_file()]
    if missing:
        raise CommandError(f"Not in {folder}: {', '.join(missing)}. Take those names out of icons.txt.")
    symbols = "\n".join(symbol(name, (folder / f"{name}.svg").read_text()) for name in names)
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}\n</svg>\n'


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = "Write static/vendor/icons.svg from an unpacked @tabler/icons package."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("package", type=Path, help="folder of the unpacked npm package @tabler/icons")

    def handle(self, *args: object, package: Path, **options: object) -> None:
        names = sorted(set((VENDOR_DIR / "icons.txt").read_text().split()))
        text = sprite(package, names)
        (VENDOR_DIR / "icons.svg").write_text(text)
        register = json.loads((VENDOR_DIR / "VENDOR.json").read_text())
        entry = next(entry for entry in register if entry["name"] == "@tabler/icons")
        entry["version"] = json.loads((package / "package.json").read_text())["version"]
        entry["files"]["icons.svg"] = hashlib.sha256(text.encode()).hexdigest()
        (VENDOR_DIR / "VENDOR.json").write_text(json.dumps(register, indent=2) + "\n")
        self.stdout.write(f"{len(names)} icons, {len(text)} bytes")
