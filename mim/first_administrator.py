"""The page behind the one-time link: makes the first administrator of an empty installation."""

from django import forms
from django.contrib.auth import get_user_model, login
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from incidents.models import RoleHeld, User
from incidents.process import AccountRole
from mim.first_administrator_token import is_valid

# Any constant works: it makes two people with the same link wait for each other.
ADVISORY_LOCK = 7_263_542


class FirstAdministratorForm(forms.Form):
    """Name, address and password of the person who sets everything else up."""

    name = forms.CharField(max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(max_length=254, label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=True),
        help_text="At least 10 characters, not a common one.",
    )

    def clean_email(self) -> str:
        """Refuses an address that already has an account."""
        email = self.cleaned_data["email"].strip().lower()
        if get_user_model().objects.filter(email__iexact=email).exists():
            raise ValidationError("There is already an account with this address. Use another one.")
        return email

    def clean(self) -> dict:
        """Checks the password against the person's own name and address too."""
        cleaned = super().clean() or {}
        if password := cleaned.get("password"):
            person = User(name=cleaned.get("name", ""), email=cleaned.get("email", ""))
            try:
                validate_password(password, user=person)
            except ValidationError as refusal:
                self.add_error("password", refusal)
        return cleaned


def administrator_exists() -> bool:
    return RoleHeld.objects.filter(role=AccountRole.ADMINISTRATOR, user__is_active=True).exists()


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def first_administrator(request: HttpRequest, token: str) -> HttpResponse:
    """A form while no administrator exists; 404 for a wrong or old link, 410 once one exists."""
    template = "mim/first_administrator.html"
    if not is_valid(token):
        return render(request, template, {"problem": "wrong"}, status=404)
    if administrator_exists():
        return render(request, template, {"problem": "used"}, status=410)
    form = FirstAdministratorForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, template, {"form": form}, status=422 if request.method == "POST" else 200)
    person = make_first_administrator(**form.cleaned_data)
    if person is None:
        return render(request, template, {"problem": "used"}, status=410)
    login(request, person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return redirect("home")


@transaction.atomic
def make_first_administrator(*, name: str, email: str, password: str) -> User | None:
    """The new administrator; None when somebody else was faster."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
    if administrator_exists():
        return None
    return User.objects.create_superuser(email, password, name=name)
