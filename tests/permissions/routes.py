"""Every route of the product with its methods, read from the URL resolver and the views."""

import inspect
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.views.generic.edit import ProcessFormView

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def _patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        whole = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _patterns(entry, whole)
        else:
            yield whole, entry


def all_routes() -> dict[str, set[str]]:
    """Methods by route name. A twin with a slash is left out; an address without a name is called by its path."""
    found: dict[str, set[str]] = {}
    named = {pattern: entry for pattern, entry in _patterns(get_resolver()) if entry.name}
    for pattern, entry in _patterns(get_resolver()):
        twin = named.get(pattern.rstrip("/"))
        if entry.name is None and twin is not None and _view(twin) is _view(entry):
            continue
        name = entry.name or f"/{pattern.strip('^$')}"
        assert name not in found, f"two routes are called {name}"
        found[name] = methods_of(entry.callback)
    return found


def _view(entry: URLPattern) -> Any:
    return getattr(entry.callback, "cls", None) or getattr(entry.callback, "view_class", None) or entry.callback


def methods_of(view: Any) -> set[str]:
    """What the view answers. Of a function: what its decorators let through, else GET, and POST when it reads one."""
    if cls := getattr(view, "cls", None) or getattr(view, "view_class", None):
        allowed = {name.upper() for name in cls.http_method_names}
        return {method for method in METHODS if method in allowed and _answers(cls, method.lower())}
    if limited := _limit(view):
        return limited.intersection(METHODS)
    source = inspect.getsource(inspect.unwrap(view))
    return {"GET", "POST"} if any(word in source for word in ("POST", "dialog(", "attempt(")) else {"GET"}


def _answers(cls: Any, method: str) -> bool:
    """Django's form views call PUT another word for POST; that is no method of its own."""
    found = getattr(cls, method, None)
    return found is not None and found is not ProcessFormView.put


def _limit(view: Any) -> set[str]:
    """The methods of a `require_http_methods` anywhere around the view; empty without one."""
    while view is not None:
        cells = inspect.getclosurevars(view).nonlocals if inspect.isfunction(view) else {}
        if "request_method_list" in cells:
            return set(cells["request_method_list"])
        view = getattr(view, "__wrapped__", None)
    return set()
