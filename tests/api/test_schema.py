"""The schema: valid, complete, and the same for everybody."""

import json
import subprocess
import sys

import pytest
import yaml
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator

from writ_app.adapters.openapi import api_schema

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def schema():
    return api_schema()


def operations(schema):
    for path, methods in schema.content["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


class TestTheSchema:
    def test_is_what_the_specification_wants(self, schema):
        errors = OpenAPIV31SpecValidator(schema.content).iter_errors()

        assert [error.message for error in errors] == []

    def test_describes_everything_without_a_guess(self, schema):
        assert schema.warnings == ()

    def test_says_of_every_operation_what_it_is_and_how_it_refuses(self, schema):
        for name, operation in operations(schema):
            assert operation["operationId"], name
            assert operation["summary"].endswith("."), name
            person = "tokens are refused" in operation["description"]
            ways = [{"session": []}] if person else [{"token": []}, {"session": []}]
            assert operation["security"] == ways, name
            assert {"400", "401", "403", "429", "500"} <= set(operation["responses"])
            assert operation["tags"] != [""], name

    def test_gives_every_operation_a_name_of_its_own(self, schema):
        names = [operation["operationId"] for _, operation in operations(schema)]

        assert len(names) == len(set(names))


class TestAProcess:
    def test_pays_for_the_schema_only_when_it_is_asked_for(self):
        code = (
            "import sys, django; django.setup()\n"
            "from django.urls import get_resolver\n"
            "assert get_resolver().url_patterns\n"
            "import writ_app.api.urls\n"
            "sys.exit('drf_spectacular' in sys.modules)"
        )

        done = subprocess.run([sys.executable, "-c", code], timeout=100)

        assert done.returncode == 0


class TestTheFile:
    def test_is_json_and_yaml_of_one_content(self):
        told = Client().get("/api/v1/schema")
        same = Client().get("/api/v1/schema?format=yaml")

        assert json.loads(told.content) == yaml.safe_load(same.content)

    def test_is_not_sent_again_to_who_has_it(self):
        tag = Client().get("/api/v1/schema").headers["ETag"]

        again = Client().get("/api/v1/schema", headers={"If-None-Match": tag})

        assert again.status_code == 304

    def test_has_no_other_shapes(self):
        assert Client().get("/api/v1/schema?format=xml").status_code == 400
