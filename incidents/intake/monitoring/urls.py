"""Where monitoring tools send. Fixed paths of dialects come before the general one, which would swallow them."""

from django.urls import path

from incidents.intake.monitoring import door

urlpatterns = [
    path("in/<slug:kind>/<str:key>", door.by_path, name="door"),
    path("in/<slug:kind>/<str:key>/<path:rest>", door.by_path, name="door_below"),
    path("in/<slug:kind>/<str:key>/", door.by_path),
]
