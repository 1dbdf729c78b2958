"""The audit log keeps itself: nothing in it is changed, and every entry is tied to the one before.

An entry is noted as waiting by the transaction that writes it, and gets its place in its chain a few seconds later, many at a
time. To give it in the same transaction would make all acts of a team wait for each other, each for the disk: the end of a chain
would have to be held until the commit before is safe.

The functions that note and link have the rights of whoever owns the tables: a role that the app connects with needs no right to
write links (docs/audit.md).
"""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

CREATE = """
-- An entry as it is hashed: its parts, each with its length in bytes before it, "-" for what is null.
CREATE FUNCTION writ_audit_text(number bigint, entry writ_app_auditentry) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT string_agg(coalesce(octet_length(part) || ':' || part, '-'), ',' ORDER BY place)
  FROM unnest(ARRAY[
    number::text, entry.id::text, entry.team_id::text,
    to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    entry.actor_id::text, entry.door, entry.request_id, entry.action, entry.kind, entry.key,
    entry.before::text, entry.after::text]) WITH ORDINALITY AS of(part, place)
$$;

CREATE FUNCTION writ_audit_entry_waits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO writ_app_auditwaiting (entry_id) VALUES (NEW.id);
  RETURN NULL;
END $$;

-- Gives the next of the waiting entries their places; returns how many. One at a time, and whoever comes second waits.
CREATE FUNCTION writ_audit_seal(most integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  entry writ_app_auditentry;
  own bigint := -1;
  last_number bigint;
  last_hash bytea;
  new_hash bytea;
  sealed integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('writ audit chain', 0));
  FOR entry IN
    WITH next AS (
      DELETE FROM writ_app_auditwaiting WHERE entry_id IN (
        SELECT entry_id FROM writ_app_auditwaiting ORDER BY entry_id LIMIT most)
      RETURNING entry_id)
    SELECT one.* FROM writ_app_auditentry AS one JOIN next ON next.entry_id = one.id ORDER BY coalesce(one.team_id, 0), one.id
  LOOP
    IF own <> coalesce(entry.team_id, 0) THEN
      own := coalesce(entry.team_id, 0);
      SELECT link.number, link.hash INTO last_number, last_hash
      FROM writ_app_auditlink AS link WHERE link.chain = own ORDER BY link.number DESC LIMIT 1;
      last_number := coalesce(last_number, 0);
      last_hash := coalesce(last_hash, decode(repeat('00', 32), 'hex'));
    END IF;
    last_number := last_number + 1;
    new_hash := sha256(last_hash || convert_to(writ_audit_text(last_number, entry), 'UTF8'));
    INSERT INTO writ_app_auditlink (entry_id, chain, number, previous, hash)
    VALUES (entry.id, own, last_number, last_hash, new_hash);
    last_hash := new_hash;
    sealed := sealed + 1;
  END LOOP;
  RETURN sealed;
END $$;

-- What runs with the owner's rights looks for its tables where they are, not where a caller says.
DO $$
DECLARE
  own text := format('SET search_path = pg_catalog, %I, pg_temp', current_schema());
BEGIN
  EXECUTE 'ALTER FUNCTION writ_audit_entry_waits() ' || own;
  EXECUTE 'ALTER FUNCTION writ_audit_seal(integer) ' || own;
END $$;

-- What was kept before there was a chain.
INSERT INTO writ_app_auditwaiting (entry_id) SELECT id FROM writ_app_auditentry;

CREATE TRIGGER audit_entry_waits AFTER INSERT ON writ_app_auditentry
FOR EACH ROW EXECUTE FUNCTION writ_audit_entry_waits();

CREATE TRIGGER audit_entry_stays BEFORE UPDATE OR DELETE ON writ_app_auditentry
FOR EACH ROW EXECUTE FUNCTION writ_refuse('An entry of the audit log is never changed or deleted.');
CREATE TRIGGER audit_entries_stay BEFORE TRUNCATE ON writ_app_auditentry
FOR EACH STATEMENT EXECUTE FUNCTION writ_refuse('The audit log is never emptied.');

CREATE TRIGGER audit_link_stays BEFORE UPDATE OR DELETE ON writ_app_auditlink
FOR EACH ROW EXECUTE FUNCTION writ_refuse('A link of the audit log is never changed or deleted.');
CREATE TRIGGER audit_links_stay BEFORE TRUNCATE ON writ_app_auditlink
FOR EACH STATEMENT EXECUTE FUNCTION writ_refuse('The audit log is never emptied.');

CREATE TRIGGER audit_check_stays BEFORE UPDATE ON writ_app_auditcheck
FOR EACH ROW WHEN (OLD.finished_at IS NOT NULL)
EXECUTE FUNCTION writ_refuse('A finished check of the audit log is never changed.');
CREATE TRIGGER audit_check_is_kept BEFORE DELETE ON writ_app_auditcheck
FOR EACH ROW EXECUTE FUNCTION writ_refuse('A check of the audit log is never deleted.');
CREATE TRIGGER audit_checks_stay BEFORE TRUNCATE ON writ_app_auditcheck
FOR EACH STATEMENT EXECUTE FUNCTION writ_refuse('The audit log is never emptied.');
"""

DROP = """
DROP TRIGGER audit_checks_stay ON writ_app_auditcheck;
DROP TRIGGER audit_check_is_kept ON writ_app_auditcheck;
DROP TRIGGER audit_check_stays ON writ_app_auditcheck;
DROP TRIGGER audit_links_stay ON writ_app_auditlink;
DROP TRIGGER audit_link_stays ON writ_app_auditlink;
DROP TRIGGER audit_entries_stay ON writ_app_auditentry;
DROP TRIGGER audit_entry_stays ON writ_app_auditentry;
DROP TRIGGER audit_entry_waits ON writ_app_auditentry;
DROP FUNCTION writ_audit_seal(integer);
DROP FUNCTION writ_audit_entry_waits();
DROP FUNCTION writ_audit_text(bigint, writ_app_auditentry);
"""


class Migration(migrations.Migration):
    dependencies = [("writ_app", "0032_api_tokens")]

    operations = [
        migrations.CreateModel(
            name="AuditLink",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="link",
                        serialize=False,
                        to="writ_app.auditentry",
                    ),
                ),
                ("chain", models.BigIntegerField()),
                ("number", models.BigIntegerField()),
                ("previous", models.BinaryField()),
                ("hash", models.BinaryField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("chain", "number"), name="audit_number_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditWaiting",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="writ_app.auditentry",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AuditCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "ordered_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
                ("finished_at", models.DateTimeField(editable=False, null=True)),
                ("number", models.BigIntegerField(default=0)),
                ("hash", models.BinaryField(default=b"")),
                ("trouble", models.TextField(blank=True)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="audit_checks",
                        to="writ_app.team",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["team", "-id"], name="audit_checked")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("finished_at__isnull", False))
                        | models.Q(("number", 0), ("trouble", "")),
                        name="audit_check_says_nothing_before_its_end",
                    )
                ],
            },
        ),
        *(
            migrations.AddIndex("auditentry", models.Index(fields=fields, name=name))
            for name, fields in (
                ("audit_by_team", ["team", "-id"]),
                ("audit_by_action", ["team", "action", "-id"]),
                ("audit_by_row", ["kind", "key", "-id"]),
            )
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
