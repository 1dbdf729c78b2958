"""The compose file: valid by the specification, and in step with the settings."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from writ_app.services.operations import LIVE, READY

ROOT = Path(__file__).resolve().parent.parent
ENV = {
    "POSTGRES_PASSWORD": "secret",
    "WRIT_PUBLISH": "127.0.0.1:8321",
    "WRIT_WORKERS": "2",
    "WRIT_ARCHIVISTS": "1",
    "WRIT_RUNNERS": "2",
    "WRIT_MEMORY": "2g",
}
VARIABLE = re.compile(r"\$\{(\w+)(?::[-?][^}]*)?\}")


def read_compose(env: dict[str, str] = ENV) -> dict[str, Any]:
    """The file as compose sees it: variables filled in, anchors and merges resolved."""
    text = (ROOT / "docker-compose.yml").read_text()
    return yaml.safe_load(VARIABLE.sub(lambda match: env[match[1]], text))


class TestComposeFile:
    def test_is_valid_by_the_specification(self) -> None:
        compose = PyCompose.from_json(json.dumps(read_compose()))

        assert set(compose.service_names()) == {
            "migrate",
            "web",
            "worker",
            "archivist",
            "runner",
            "beat",
            "postgres",
            "valkey",
        }

    def test_the_validator_sees_mistakes(self) -> None:
        content = read_compose()
        content["services"]["web"]["resatrt"] = "always"

        with pytest.raises(ValueError, match="resatrt"):
            PyCompose.from_json(json.dumps(content))

    def test_everything_that_stays_up_has_a_health_check(self) -> None:
        services = read_compose()["services"]

        unchecked = {
            name for name, service in services.items() if "healthcheck" not in service
        }

        assert unchecked == {"migrate"}

    def test_publishes_the_web_alone_and_on_loopback(self) -> None:
        services = read_compose()["services"]

        assert {name for name, service in services.items() if "ports" in service} == {
            "web"
        }
        assert services["web"]["ports"] == ["127.0.0.1:8321:8321"]

    def test_the_apps_containers_cannot_write_their_code_nor_gain_rights(self) -> None:
        services = read_compose()["services"]
        ours = [service for service in services.values() if "build" in service]

        assert len(ours) == 6
        for service in ours:
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]
            assert service["mem_limit"] == "2g"
            assert service["tmpfs"] == ["/tmp"]
            assert service["init"] is True
            assert "privileged" not in service
            assert "user" not in service  # the image's own, which is not root

    def test_the_apps_containers_keep_nothing(self) -> None:
        """So that any number of them may be anywhere: what has to stay is in Postgres, and what waits in the broker."""
        services = read_compose()["services"]

        keeping = {name for name, service in services.items() if "volumes" in service}

        assert keeping == {"postgres", "valkey"}

    def test_the_image_runs_as_somebody_without_rights(self) -> None:
        dockerfile = (ROOT / "Dockerfile").read_text()

        users = re.findall(r"^USER (\w+)", dockerfile, re.MULTILINE)
        assert users == ["writ"]
        assert dockerfile.index("USER writ") < dockerfile.index("\nCMD ")
        assert "--uid 10001" in dockerfile

    def test_probes_ask_an_address_that_there_is(self) -> None:
        probe = str(read_compose()["services"]["web"]["healthcheck"]["test"])

        assert f"127.0.0.1:8321{READY}'" in probe
        assert f"127.0.0.1:8321{LIVE}'" in (ROOT / "Dockerfile").read_text()

    def test_named_volumes_are_declared(self) -> None:
        content = read_compose()

        used = {
            volume.split(":")[0]
            for service in content["services"].values()
            for volume in service.get("volumes", [])
        }

        assert used == set(content["volumes"])

    def test_every_variable_is_in_the_example(self) -> None:
        example = (ROOT / ".env.example").read_text()

        for name in set(VARIABLE.findall((ROOT / "docker-compose.yml").read_text())):
            assert f"\n{name}=" in example

    def test_the_example_names_only_variables_that_are_read(self) -> None:
        readers = ["writ_app/settings.py", "docker-compose.yml"]
        sources = "".join((ROOT / path).read_text() for path in readers)

        names = re.findall(
            r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE
        )

        assert names
        assert [name for name in names if name not in sources] == []
