"""How many rows each table has, and a sum over them that tells two tables apart in whatever order their rows lie."""

from dataclasses import dataclass

from psycopg import sql

OWN_TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2
"""
OWN_RELATIONS = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""
SAME_WORDS = """
SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'postgres';
SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex';
"""
"""Values are written the same way in every session. Needs an open transaction."""
MEASURE = """
SELECT count(*), coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint), 0)::text FROM {table} t
"""
CHECK = """
DO $check$
DECLARE found bigint; digest text;
BEGIN
  SELECT r.count, r.coalesce INTO found, digest FROM ({measure}) r;
  IF found <> {rows} OR digest <> {digest} THEN
    RAISE EXCEPTION 'the copy of % differs from what was saved: % rows instead of %', {name}, found, {rows};
  END IF;
END $check$;
"""


@dataclass(frozen=True)
class Table:
    """A table as it was in one snapshot. `digest` is a whole number, written in decimal."""

    schema: str
    name: str
    rows: int
    digest: str


def measure(schema: str, name: str) -> sql.Composed:
    """The query of a table's number of rows and digest."""
    return sql.SQL(MEASURE).format(table=sql.Identifier(schema, name))


def check(table: Table) -> str:
    """SQL that fails unless the table is as it was."""
    return (
        sql.SQL(CHECK)
        .format(
            measure=measure(table.schema, table.name),
            rows=sql.Literal(table.rows),
            digest=sql.Literal(table.digest),
            name=sql.Literal(table.name),
        )
        .as_string(None)
    )
