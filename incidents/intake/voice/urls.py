"""Below /in/voice/{key}. They come before the door of the monitoring tools, which would swallow them."""

from django.urls import path

from incidents.intake.voice import views

_LINE = "in/voice/<str:key>"
urlpatterns = [
    path(_LINE, views.incoming, name="voice_call"),
    path(f"{_LINE}/", views.incoming),
    path(f"{_LINE}/menu", views.menu, name="voice_menu"),
    path(f"{_LINE}/dialled", views.dialled, name="voice_dialled"),
    path(f"{_LINE}/recorded", views.recorded, name="voice_recorded"),
    path(f"{_LINE}/transcribed", views.transcribed, name="voice_transcribed"),
    path(f"{_LINE}/goodbye", views.goodbye, name="voice_goodbye"),
    path(f"{_LINE}/status", views.status, name="voice_status"),
]
