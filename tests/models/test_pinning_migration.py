"""Batches of before endpoints were pinned go on with what their endpoints are when the migration runs."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE, AFTER = ("writ_app", "0008_batch_grid"), ("writ_app", "0009_endpoints")


@pytest.mark.django_db(transaction=True)
def test_endpoints_of_earlier_batches_are_pinned() -> None:
    executor = MigrationExecutor(connection)
    latest = executor.loader.graph.leaf_nodes("writ_app")
    executor.migrate([BEFORE])
    try:
        old = executor.loader.project_state([BEFORE]).apps
        endpoint = old.get_model("writ_app", "ModelEndpoint").objects.create(
            name="mine",
            model="openai/mine",
            key_variable="MY_KEY",
            parameters={"temperature": 1},
        )
        team = old.get_model("writ_app", "Team").objects.create(name="Team")
        user = old.get_model("writ_app", "User").objects.create(username="olga")
        world = old.get_model("writ_app", "Environment").objects.create(
            name="retail", version="v", policy="", state=b"", state_hash="", origin=""
        )
        for agent in (endpoint, None):
            old.get_model("writ_app", "Batch").objects.create(
                team=team,
                created_by=user,
                name="Batch",
                environment=world,
                seed=1,
                ordered=1,
                agent=agent,
            )

        executor = MigrationExecutor(connection)
        executor.migrate([AFTER])

        new = executor.loader.project_state([AFTER]).apps
        with_model, scripted = new.get_model("writ_app", "Batch").objects.order_by("pk")
        assert with_model.played_by == {
            "agent": {
                "name": "mine",
                "model": "openai/mine",
                "base_url": "",
                "key_variable": "MY_KEY",
                "parameters": {"temperature": 1},
                "prompt_price": None,
                "completion_price": None,
            }
        }
        assert scripted.played_by == {}
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(latest)
