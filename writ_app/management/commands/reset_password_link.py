"""`reset_password_link NAME [--site URL]`: a link that sets a new password once, for sites without a mail server."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from writ_app.management.site import database_up
from writ_app.models.accounts import User
from writ_app.services.audit import record


class Command(BaseCommand):
    help = "Print a link with which somebody sets a new password, once, within a day."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="user name of who forgot the password")
        parser.add_argument(
            "--site",
            default="http://127.0.0.1:8321",
            help="address of the site, default %(default)s",
        )

    @database_up()
    def handle(self, *args: Any, name: str, site: str, **options: Any) -> None:
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no open account {name}.")
        path = reverse(
            "password_reset_confirm",
            kwargs={
                "uidb64": urlsafe_base64_encode(force_bytes(user.pk)),
                "token": default_token_generator.make_token(user),
            },
        )
        record("person.reset_link", team=None, row=user)
        hours = settings.PASSWORD_RESET_TIMEOUT // 3600
        self.stdout.write(f"{site.rstrip('/')}{path}")
        self.stderr.write(f"It works once, for {hours} hours. Give it to {name} alone.")
