"""`manage.py serve_environment NAME`: one session of a world as an MCP server, for any agent client."""

from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management import CommandError

from environments import registry
from environments.core.environment import Environment
from writ_app.adapters.embedded.services import services_running
from writ_app.adapters.mcp_server import HTTP_PATH, serve_http, serve_stdio
from writ_app.management.site import clear_errors
from writ_app.management.versions import VersionCommand
from writ_app.models import catalog as rows
from writ_app.services import catalog


class Command(VersionCommand):
    help = "Serve one session of an environment as an MCP server: tools, and the policy as prompt and resource."
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
        parser.add_argument("--host", default="127.0.0.1", help="address for http")
        parser.add_argument("--port", type=int, default=8800, help="port for http")

    def handle(self, *args: Any, **options: Any) -> None:
        session = self.find(options).session()
        # Standard output belongs to the protocol: what people should know goes beside it.
        self.stderr.write(
            f"{session.environment.name} {session.environment.version}: "
            f"{len(session.environment.tools)} tools"
        )
        with suppress(KeyboardInterrupt):
            if options["transport"] == "stdio":
                serve_stdio(session)
                return
            host, port = options["host"], options["port"]
            self.stderr.write(f"http://{host}:{port}{HTTP_PATH}")
            serve_http(session, host=host, port=port)

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
