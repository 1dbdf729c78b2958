"""`manage.py serve_environment NAME`: a world as an MCP server, for any agent client."""

import os
import re
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management import CommandError

from environments import registry
from environments.core.environment import Environment
from writ_app.adapters.embedded.services import services_running
from writ_app.adapters.mcp_server import (
    HTTP_PATH,
    LOOPBACK,
    serve_http,
    serve_stdio,
)
from writ_app.management.site import bracketed, clear_errors
from writ_app.management.versions import VersionCommand
from writ_app.models import catalog as rows
from writ_app.services import catalog

TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
"""What may stand after `Bearer` (RFC 6750)."""
TOKEN_LENGTH = 16


class Command(VersionCommand):
    help = "Serve an environment as an MCP server: tools, and the policy as prompt and resource. Every client plays in a session of its own."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the environment")
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--version",
            dest="stored",
            default="",
            help="a stored version (default: a world made from --seed)",
        )
        which.add_argument(
            "--seed", type=int, default=7, help="seed of the world (default: 7)"
        )
        parser.add_argument(
            "--users", type=int, default=200, help="people in a world made from a seed"
        )
        parser.add_argument("--transport", choices=["stdio", "http"], default="stdio")
        parser.add_argument(
            "--host",
            default="127.0.0.1",
            help="address for http; any but this machine's own needs --token-env",
        )
        parser.add_argument("--port", type=int, default=8800, help="port for http")
        parser.add_argument(
            "--token-env",
            default="",
            metavar="VARIABLE",
            help="environment variable with the bearer token that clients over http must send",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        over_http, token = options["transport"] == "http", ""
        if over_http:
            token = read_token(options["token_env"], host=options["host"])
        environment = self.find(options)
        # Standard output belongs to the protocol: what people should know goes beside it.
        self.stderr.write(
            f"{environment.name} {environment.version}: {len(environment.tools)} tools"
        )
        with suppress(KeyboardInterrupt):
            if not over_http:
                serve_stdio(environment)
                return
            host, port = options["host"], options["port"]
            self.stderr.write(f"http://{bracketed(host)}:{port}{HTTP_PATH}")
            serve_http(environment, host=host, port=port, token=token)

    def find(self, options: dict[str, Any]) -> Environment:
        try:
            world = registry.world(options["name"])
        except KeyError as error:
            raise CommandError(error.args[0]) from error
        if options["stored"]:
            return self.load(options["name"], options["stored"])
        return world.generated(seed=options["seed"], users=options["users"])

    def load(self, name: str, version: str) -> Environment:
        with (
            clear_errors(),
            services_running(settings.EMBEDDED, settings.EMBEDDED_SERVICES, reuse=True),
        ):
            known = rows.Environment.objects.filter(name=name)
            row = known.filter(version=version).first()
            if row is None:
                there = ", ".join(known.values_list("version", flat=True)) or "none"
                raise CommandError(
                    f"There is no {name} called {version}; there is {there}."
                )
            try:
                return catalog.load_environment(row)
            except catalog.ChangedEnvironment as error:
                raise CommandError(str(error)) from error


def read_token(variable: str, *, host: str) -> str:
    """The token that clients must send, "" for none. Raises CommandError if one is needed and not there."""
    if not variable:
        if host in LOOPBACK:
            return ""
        raise CommandError(
            f"Whoever reaches {host} could play: put a token of {TOKEN_LENGTH} characters or more into an environment "
            "variable and name the variable with --token-env."
        )
    token = os.environ.get(variable, "")
    if len(token) < TOKEN_LENGTH or not TOKEN.fullmatch(token):
        # What it holds is not shown: a token that is nearly right is a secret, too.
        raise CommandError(
            f"{variable} must hold a token of {TOKEN_LENGTH} characters or more: letters, digits and -._~+/= only."
        )
    return token
