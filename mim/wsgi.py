"""Pages and API, and the written status page in front of them."""

import os
from pathlib import Path

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mim.settings")

_pages = get_wsgi_application()

from django.conf import settings  # noqa: E402 - after the environment is set

from mim.status_files import StatusFiles  # noqa: E402
from mim.watchman import Watched  # noqa: E402

application = StatusFiles(Watched(_pages), Path(settings.STATUS_DIR), is_https_only=settings.SECURE_SSL_REDIRECT)
