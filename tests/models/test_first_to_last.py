"""Every migration in turn, from an empty database: what each did to rows of its time, and that a new database is the same."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.state import StateApps

from tests.models.steps import latest, one_by_one

UNPINNED, PINNED = ("writ_app", "0008_batch_grid"), ("writ_app", "0009_endpoints")

CATALOGUE = {
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, a.attstorage,
               a.attcollation::regcollation::text
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'""",
    # Names that Django makes up hold the field's name of the day.
    "indexes": """
        SELECT tablename, regexp_replace(indexdef, 'INDEX writ_app_\\S+', 'INDEX')
        FROM pg_indexes WHERE schemaname = 'public'""",
    "constraints": """
        SELECT conrelid::regclass::text, contype, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "functions": """
        SELECT pg_get_functiondef(p.oid) FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace""",
    "triggers": """
        SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal""",
}


@pytest.fixture
def emptied() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    yield
    call_command("migrate", verbosity=0)


def catalogue() -> dict[str, list[str]]:
    found = {}
    with connection.cursor() as cursor:
        for name, query in CATALOGUE.items():
            cursor.execute(query)
            found[name] = sorted(map(repr, cursor.fetchall()))
    return found


def order_batches(old: StateApps) -> None:
    """One that a model plays, and a scripted one."""
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


@pytest.mark.django_db(transaction=True)
def test_all_steps_keep_what_there_is_and_lead_where_new_databases_begin(
    request: pytest.FixtureRequest,
) -> None:
    begun = catalogue()
    request.getfixturevalue("emptied")

    one_by_one().migrate([UNPINNED])
    order_batches(one_by_one().loader.project_state([UNPINNED]).apps)
    one_by_one().migrate([PINNED])
    new = one_by_one().loader.project_state([PINNED]).apps
    with_model, scripted = new.get_model("writ_app", "Batch").objects.order_by("pk")
    one_by_one().migrate(latest())
    team = new.get_model("writ_app", "Team").objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT team_id FROM writ_app_modelendpoint")
        teams_of_models = cursor.fetchall()
    call_command("migrate", verbosity=0)  # the other apps' last steps

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
    assert teams_of_models == [(team.pk,)]
    assert catalogue() == begun
