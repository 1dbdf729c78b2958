"""Role × operation × whose row it is: the right answer everywhere."""

import re
from contextlib import contextmanager

import pytest
from django.db import transaction

from tests.api.matrix import EXAMPLES
from writ_app.adapters.openapi import api_schema
from writ_app.models.accounts import Role

NOBODYS = 10**15
FOUND = {
    operation["operationId"]: (method, path, operation)
    for path, methods in api_schema().content["paths"].items()
    for method, operation in methods.items()
}


@contextmanager
def undone():
    """What the block changes is changed back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def ask(program, name, side, *, absent=False, ready=False, first=None, then=None):
    """The answer to the example. `ready`: after what the member has to do before; `first` and `then` are called around the request."""
    method, path, _ = FOUND[name]
    example = EXAMPLES[name]
    with undone():
        given = example.ready(program, side) if ready and example.ready else {}
        values = dict(given.get("path") or example.path(side))
        if absent:
            values = {
                key: NOBODYS if isinstance(value, int) else "nobodys"
                for key, value in values.items()
            }
        address = re.sub(r"{(\w+)}", lambda found: str(values[found[1]]), path)
        body = given.get("body") or (example.body(side) if example.body else None)
        if first:
            first()
        response = program.ask(
            method,
            address.removeprefix("/api/v1/"),
            body,
            query=example.query(side) if callable(example.query) else example.query,
            multipart=example.multipart,
        )
        if response.streaming:
            list(response.streaming_content)
        if then:
            then()  # before it is undone
    return response


def is_personal(name):
    """Whether tokens are refused it."""
    return {"token": []} not in FOUND[name][2]["security"]


def askers(world, name):
    """Role → who asks: by a token, or signed in where tokens are refused."""
    return world.people if is_personal(name) else world.programs


def success_of(name):
    statuses = FOUND[name][2]["responses"]
    return min(int(status) for status in statuses)


class TestTheMatrix:
    def test_has_a_row_for_every_operation_and_no_other(self):
        assert set(EXAMPLES) == set(FOUND)


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) & set(FOUND)))
@pytest.mark.django_db
class TestAnOperation:
    def test_is_done_by_every_role_that_may_and_by_no_other(self, world, name):
        needed = Role(FOUND[name][2]["x-role"].upper())

        answers = {
            role: ask(program, name, world.own, ready=role.includes(needed))
            for role, program in askers(world, name).items()
        }

        for role, response in answers.items():
            right = success_of(name) if role.includes(needed) else 403
            # One's own tokens are nobody else's, owners of the team apart.
            if name == "revoke_token" and role != Role.OWNER:
                right = 404
            assert response.status_code == right, (role, response.content[:500])

    def test_finds_nothing_that_is_of_others_or_that_there_is_not(self, world, name):
        example = EXAMPLES[name]
        if "{" not in FOUND[name][1]:
            pytest.skip("its address names no row")
        needed = Role(FOUND[name][2]["x-role"].upper())

        for role, program in askers(world, name).items():
            right = 404 if role.includes(needed) else 403
            absent = ask(program, name, world.own, absent=True)
            assert absent.status_code == right, role
            if example.foreign is not None:
                foreign = ask(program, name, world.foreign)
                wrong = example.foreign if right == 404 else 403
                assert foreign.status_code == wrong, role


@pytest.mark.parametrize("name", sorted(filter(is_personal, FOUND)))
@pytest.mark.django_db
def test_what_only_people_may_is_refused_to_the_token_of_an_owner(world, name):
    answer = ask(world.programs[Role.OWNER], name, world.own)

    assert answer.status_code == 403
    assert "token" in answer.json()["detail"]
