"""Every address below /api/v1/ that this room answers. A trailing slash is optional everywhere."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, path

from incidents.api import converters
from incidents.api.docs import DocsView, SchemaView

converters.register()


def at(route: str, view: Callable[..., HttpResponseBase], name: str) -> list[URLPattern]:
    """The address as the schema shows it, and its twin with a slash."""
    return [path(route, view, name=f"api_{name}"), path(f"{route}/", view)]


urlpatterns: list[Any] = [
    *at("schema", SchemaView.as_view(), "schema"),
    *at("docs", DocsView.as_view(), "docs"),
]
