"""The role that the app connects with, as SQL: all that the app does, and nothing that could touch the log.

Run by the role that owns the tables, which is the one that migrations are run by. The app's role owns nothing, so it can
neither change a table nor switch off a trigger; `session_replication_role` is for superusers alone.
"""

from typing import LiteralString

from psycopg import sql

KEPT = {
    "writ_app_auditentry": "SELECT, INSERT",
    "writ_app_auditlink": "SELECT",
    "writ_app_auditwaiting": "SELECT",
    "writ_app_auditcheck": "SELECT, INSERT, UPDATE",
}
"""What the app may do with each table of the log. Links are written by a function with its owner's rights."""
READ = ("django_migrations",)
"""What only migrations write."""

GRANTS: tuple[LiteralString, ...] = (
    "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {role}",
    "GRANT USAGE ON SCHEMA {schema} TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
    "GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO {role}",
)


def role_statements(*, role: str, database: str, schema: str = "public") -> list[str]:
    """Statements that give an existing role the app's rights. They can be run again, and should be after migrations of the log."""
    names = {
        "role": sql.Identifier(role),
        "database": sql.Identifier(database),
        "schema": sql.Identifier(schema),
    }
    made = [sql.SQL(grant).format(**names) for grant in GRANTS]
    for table, rights in {**KEPT, **dict.fromkeys(READ, "SELECT")}.items():
        named = {"table": sql.Identifier(schema, table), "role": names["role"]}
        made += [
            sql.SQL("REVOKE ALL ON {table} FROM {role}").format(**named),
            sql.SQL("GRANT {rights} ON {table} TO {role}").format(
                rights=sql.SQL(rights),
                **named,
            ),
        ]
    return [f"{one.as_string(None)};" for one in made]
