"""Pages and API, and the written status page in front of them.

Everything is loaded here, once: gunicorn forks its workers from this process, and what is loaded before is shared.
"""

import gc
import os
from pathlib import Path

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mim.settings")

_pages = get_wsgi_application()

from django.conf import settings  # noqa: E402 - after the environment is set
from django.urls import URLResolver, get_resolver  # noqa: E402

from mim.status_files import StatusFiles  # noqa: E402
from mim.watchman import Watched  # noqa: E402


def _load_views(resolver: URLResolver) -> None:
    """Otherwise each worker loads every view with its first request, and keeps it for itself."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            _load_views(pattern)


_load_views(get_resolver())
gc.collect()
gc.freeze()  # what lives as long as the process is not looked at again, so its pages stay shared

application = StatusFiles(Watched(_pages), Path(settings.STATUS_DIR), is_https_only=settings.SECURE_SSL_REDIRECT)
