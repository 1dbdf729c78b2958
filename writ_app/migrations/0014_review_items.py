"""Items: one row for every version of a trajectory that people look at, filed and kept by the database itself.

Going back is refused once there are edited versions or canaries, which have no place in the tables of before.
"""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import writ_app.models.fields

FACETS = r"""
-- JSON that a model had a hand in may hold what Postgres's text cannot (NUL, half a surrogate pair); for finding things, a
-- mark in its place will do.
CREATE FUNCTION writ_readable(value json) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN value::jsonb;
EXCEPTION WHEN untranslatable_character OR invalid_text_representation THEN
  RETURN regexp_replace(value::text, '\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\\ufffd', 'g')::jsonb;
END $$;

-- What a list shows of a conversation: see ReviewItem.outline.
CREATE FUNCTION writ_outline(messages jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  WITH said AS (
    SELECT number, value AS message FROM jsonb_array_elements(messages) WITH ORDINALITY AS one (value, number)
  ), answers AS (
    SELECT message->>'tool_call_id' AS call, length(message->>'content') AS size,
           coalesce((message->>'error')::boolean, false) AS error
    FROM said WHERE message->>'role' = 'tool'
  ), steps AS (
    SELECT number, 0 AS place, jsonb_build_array(
             CASE message->>'role' WHEN 'user' THEN 'u' ELSE 's' END, length(message->>'content')) AS step
    FROM said
    WHERE message->>'role' <> 'tool'
      AND (message->>'content' <> '' OR coalesce(jsonb_array_length(nullif(message->'tool_calls', 'null')), 0) = 0)
    UNION ALL
    SELECT said.number, made.place, jsonb_build_array(
             CASE WHEN answers.error THEN 'e' ELSE 'c' END,
             coalesce(answers.size, 0) + length(made.value->>'arguments'), left(made.value->>'name', 100))
    FROM said
    CROSS JOIN LATERAL jsonb_array_elements(coalesce(nullif(said.message->'tool_calls', 'null'), '[]'))
      WITH ORDINALITY AS made (value, place)
    LEFT JOIN answers ON answers.call = made.value->>'id'
  )
  SELECT coalesce(jsonb_agg(step ORDER BY number, place), '[]')
  FROM (SELECT * FROM steps ORDER BY number, place LIMIT 400) AS shown
$$;

CREATE FUNCTION writ_words(messages jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT left(coalesce(string_agg(text, ' ' ORDER BY number), ''), 30000) FROM (
    SELECT number, left(value->>'content', 4000) AS text
    FROM jsonb_array_elements(messages) WITH ORDINALITY AS one (value, number)
    WHERE value->>'role' <> 'tool' AND value->>'content' <> ''
    UNION ALL
    SELECT one.number, left(argument.value #>> '{}', 1000)
    FROM jsonb_array_elements(messages) WITH ORDINALITY AS one (value, number)
    CROSS JOIN LATERAL jsonb_array_elements(coalesce(nullif(one.value->'tool_calls', 'null'), '[]')) AS made
    CROSS JOIN LATERAL jsonb_path_query(made->'arguments', 'strict $.** ? (@.type() == "string")') AS argument (value)
  ) AS texts
$$;

CREATE FUNCTION writ_item_is_found_by() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  made record;
  talk jsonb;
  judged jsonb;
  share float;
BEGIN
  SELECT trajectory.*, simulation.plan, simulation.batch_id, simulation.task_id, batch.team_id,
         environment.name AS environment, task.archetype, task.task_class, task.writes, task.burden
  INTO STRICT made
  FROM writ_app_trajectory AS trajectory
  JOIN writ_app_simulation AS simulation ON simulation.id = trajectory.simulation_id
  JOIN writ_app_batch AS batch ON batch.id = simulation.batch_id
  JOIN writ_app_task AS task ON task.id = simulation.task_id
  JOIN writ_app_environment AS environment ON environment.id = task.environment_id
  WHERE trajectory.id = NEW.trajectory_id;
  talk := writ_readable(coalesce(NEW.content, made.content));
  judged := writ_readable(coalesce(NEW.verification, made.verification));

  NEW.team_id := made.team_id;
  NEW.batch_id := made.batch_id;
  NEW.task_id := made.task_id;
  NEW.environment := made.environment;
  NEW.archetype := made.archetype;
  NEW.task_class := made.task_class;
  NEW.writes := made.writes;
  NEW.burden := made.burden;
  NEW.plan := made.plan;
  NEW.scripted := made.scripted;
  NEW.agent := left(coalesce(talk->>'agent', ''), 200);
  NEW.steps := jsonb_array_length(talk->'messages');
  NEW.ended_by := left(coalesce(talk->>'ended_by', made.ended_by), 30);
  NEW.failed := ARRAY(
    SELECT check_name FROM (
      SELECT value->>'name' AS check_name, number
      FROM jsonb_array_elements(judged->'checks') WITH ORDINALITY AS one (value, number)
      WHERE NOT (value->>'passed')::boolean) AS failures ORDER BY number);
  IF NEW.content IS NULL THEN
    NEW.accepted := made.accepted;
    NEW.reason := made.reason;
    NEW.owner := made.owner;
  ELSE
    NEW.accepted := NEW.failed = '{}';
    NEW.reason := coalesce(NEW.failed[1], '');
    NEW.owner := coalesce((
      SELECT value->>'owner' FROM jsonb_array_elements(judged->'checks') AS one (value)
      WHERE value->>'name' = NEW.reason LIMIT 1), '');
  END IF;
  NEW.ready := NEW.accepted OR NEW.canary <> '';
  SELECT coalesce(array_agg(DISTINCT value->>'kind' ORDER BY value->>'kind'), '{}'),
         coalesce(avg((value->>'kind' NOT IN ('exact', 'said', 'policy'))::int), 0)
  INTO NEW.kinds, NEW.uncertainty
  FROM jsonb_array_elements(coalesce(judged->'provenance', '[]')) AS one (value)
  WHERE coalesce(value->>'side', 'actual') = 'actual';
  NEW.outline := writ_outline(talk->'messages');
  NEW.skeleton := coalesce((
    SELECT string_agg(step->>2, ' ' ORDER BY number)
    FROM jsonb_array_elements(NEW.outline) WITH ORDINALITY AS one (step, number) WHERE step->>2 IS NOT NULL), '');
  NEW.words := writ_words(talk->'messages');
  NEW.search := to_tsvector('simple', NEW.words);

  IF TG_OP = 'INSERT' THEN
    IF NEW.content IS NOT NULL THEN
      -- One sequence for all, so that a version's number tells nothing and the one as simulated has its trajectory's.
      NEW.id := nextval(pg_get_serial_sequence('writ_app_trajectory', 'id'));
    ELSE
      SELECT second_share INTO share FROM writ_app_reviewpolicy WHERE team_id = NEW.team_id;
      IF (hashint8extended(NEW.id, NEW.team_id) & 1048575) < coalesce(share, 0) * 1048576 THEN
        NEW.wanted := 2;
      END IF;
    END IF;
  END IF;
  IF NEW.status IN ('', 'OPEN') THEN
    NEW.status := CASE WHEN NEW.ready THEN 'OPEN' ELSE '' END;
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER review_item_is_found_by BEFORE INSERT OR UPDATE OF accepted, content, verification ON writ_app_reviewitem
FOR EACH ROW EXECUTE FUNCTION writ_item_is_found_by();

CREATE FUNCTION writ_item_has_sources() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    DELETE FROM writ_app_argumentsource WHERE item_id = NEW.id;
  END IF;
  INSERT INTO writ_app_argumentsource
    (item_id, side, write, pointer, kind, message, source_pointer, value, detail)
  SELECT NEW.id, coalesce(value->>'side', 'actual'), (value->>'write')::int, left(value->>'pointer', 400), value->>'kind',
         (value->>'source')::int, left(coalesce(value->>'source_pointer', ''), 400),
         left(coalesce(value->>'value', ''), 200), left(coalesce(value->>'detail', ''), 400)
  FROM jsonb_array_elements(coalesce(writ_readable(coalesce(NEW.verification,
    (SELECT verification FROM writ_app_trajectory WHERE id = NEW.trajectory_id)))->'provenance', '[]')) AS one (value);
  RETURN NULL;
END $$;

CREATE TRIGGER review_item_has_sources AFTER INSERT OR UPDATE OF accepted, content, verification ON writ_app_reviewitem
FOR EACH ROW EXECUTE FUNCTION writ_item_has_sources();
"""

DROP_FACETS = """
DROP TRIGGER review_item_has_sources ON writ_app_reviewitem;
DROP TRIGGER review_item_is_found_by ON writ_app_reviewitem;
DROP FUNCTION writ_item_has_sources();
DROP FUNCTION writ_item_is_found_by();
DROP FUNCTION writ_words(jsonb);
DROP FUNCTION writ_outline(jsonb);
DROP FUNCTION writ_readable(json);
"""

# The old promises hang on columns that move.
FILE_ALL = """
DROP TRIGGER review_slot_approval_stands ON writ_app_reviewslot;
DROP FUNCTION writ_approval_stands();
DROP TRIGGER release_member_stays ON writ_app_releasemember;
DROP TRIGGER release_member_is_accepted ON writ_app_releasemember;
DROP FUNCTION writ_release_member_is_accepted();

INSERT INTO writ_app_reviewitem (id, trajectory_id, number, wanted, status)
SELECT id, id, 1, 1, '' FROM writ_app_trajectory ORDER BY id;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""

TEAMS_OF_SLOTS = """
UPDATE writ_app_reviewslot AS slot SET team_id = item.team_id, ready = item.ready, uncertainty = item.uncertainty
FROM writ_app_reviewitem AS item WHERE item.id = slot.item_id;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""

UNFILE = """
CREATE TRIGGER release_member_stays BEFORE UPDATE OR DELETE ON writ_app_releasemember
FOR EACH ROW EXECUTE FUNCTION writ_release_member_stays();

CREATE FUNCTION writ_release_member_is_accepted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM writ_app_trajectory WHERE id = NEW.trajectory_id AND accepted FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'A trajectory that the verification rejects enters no release.' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER release_member_is_accepted BEFORE INSERT ON writ_app_releasemember
FOR EACH ROW EXECUTE FUNCTION writ_release_member_is_accepted();

CREATE FUNCTION writ_approval_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM writ_app_releasemember WHERE trajectory_id = OLD.trajectory_id;
  IF FOUND THEN
    RAISE EXCEPTION 'The trajectory is in a release, so its approval stands.'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER review_slot_approval_stands BEFORE UPDATE ON writ_app_reviewslot
FOR EACH ROW WHEN (OLD.status = 'APPROVED' AND NEW.status <> 'APPROVED')
EXECUTE FUNCTION writ_approval_stands();
"""

PROMISES = """
CREATE FUNCTION writ_trajectory_is_filed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO writ_app_reviewitem (id, trajectory_id, number, wanted, status) VALUES (NEW.id, NEW.id, 1, 1, '');
  ELSE
    UPDATE writ_app_reviewitem SET accepted = NEW.accepted WHERE id = NEW.id;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER trajectory_is_filed_for_review AFTER INSERT OR UPDATE OF verification, accepted ON writ_app_trajectory
FOR EACH ROW EXECUTE FUNCTION writ_trajectory_is_filed();

CREATE FUNCTION writ_item_has_slots() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.ready THEN
    INSERT INTO writ_app_reviewslot (item_id, number, team_id, status, token, ready, uncertainty)
    SELECT NEW.id, number, NEW.team_id, 'OPEN', 0, true, NEW.uncertainty FROM generate_series(1, NEW.wanted) AS number
    ON CONFLICT (item_id, number) DO NOTHING;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    UPDATE writ_app_reviewslot
    SET ready = NEW.ready AND number <= NEW.wanted, uncertainty = NEW.uncertainty
    WHERE item_id = NEW.id AND number > 0
      AND (ready, uncertainty) IS DISTINCT FROM (NEW.ready AND number <= NEW.wanted, NEW.uncertainty);
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER review_item_has_slots AFTER INSERT OR UPDATE OF accepted, content, verification, wanted ON writ_app_reviewitem
FOR EACH ROW EXECUTE FUNCTION writ_item_has_slots();

-- An item's status follows from its slots: open while one is, theirs if they agree, else disputed until slot 0 settles it.
CREATE FUNCTION writ_item_is_settled() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  item record;
  closed record;
  settled text;
BEGIN
  -- The lock makes two reviewers who finish at once see each other's verdict.
  SELECT id, status, ready, wanted, team_id, uncertainty INTO STRICT item
  FROM writ_app_reviewitem WHERE id = NEW.item_id FOR NO KEY UPDATE;
  SELECT bool_or(status = 'OPEN') AS waiting, count(DISTINCT status) AS opinions, min(status) AS one,
         bool_and(status = 'OPEN') AS untouched
  INTO closed FROM writ_app_reviewslot WHERE item_id = item.id AND number BETWEEN 1 AND item.wanted;
  IF closed.waiting IS NULL OR closed.untouched AND NOT item.ready THEN
    settled := '';
  ELSIF closed.waiting THEN
    settled := 'OPEN';
  ELSIF closed.opinions = 1 THEN
    settled := closed.one;
  ELSE
    settled := coalesce((
      SELECT status FROM writ_app_reviewslot WHERE item_id = item.id AND number = 0 AND status <> 'OPEN'), 'DISPUTED');
  END IF;
  IF settled <> item.status THEN
    UPDATE writ_app_reviewitem SET status = settled WHERE id = item.id;
  END IF;
  IF settled = 'DISPUTED' THEN
    INSERT INTO writ_app_reviewslot (item_id, number, team_id, status, token, ready, uncertainty)
    VALUES (item.id, 0, item.team_id, 'OPEN', 0, true, item.uncertainty)
    ON CONFLICT (item_id, number) DO UPDATE SET ready = true;
  ELSIF NEW.number > 0 AND item.status = 'DISPUTED' THEN
    UPDATE writ_app_reviewslot SET ready = false WHERE item_id = item.id AND number = 0 AND status = 'OPEN';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER review_item_is_settled AFTER UPDATE OF status ON writ_app_reviewslot
FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION writ_item_is_settled();

CREATE TRIGGER review_item_is_open_again AFTER INSERT ON writ_app_reviewslot
FOR EACH ROW WHEN (NEW.number > 1) EXECUTE FUNCTION writ_item_is_settled();

CREATE FUNCTION writ_approval_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status = 'APPROVED' THEN
    IF NOT NEW.ready THEN
      RAISE EXCEPTION 'A check fails, so it cannot be approved.' USING ERRCODE = 'check_violation';
    END IF;
  ELSE
    PERFORM 1 FROM writ_app_releasemember WHERE item_id = NEW.id;
    IF FOUND THEN
      RAISE EXCEPTION 'It is in a release, so its approval stands.' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER review_item_approval_stands BEFORE UPDATE OF status ON writ_app_reviewitem
FOR EACH ROW WHEN ((OLD.status = 'APPROVED') <> (NEW.status = 'APPROVED'))
EXECUTE FUNCTION writ_approval_stands();

-- The locks make an undo that goes on at the same moment wait for the freeze, or the freeze for the undo.
CREATE OR REPLACE FUNCTION writ_release_member_enters() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  item record;
BEGIN
  PERFORM 1 FROM writ_app_release WHERE id = NEW.release_id AND frozen_at IS NULL FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'A frozen release takes no more members.' USING ERRCODE = 'check_violation';
  END IF;
  SELECT status, accepted, canary INTO STRICT item FROM writ_app_reviewitem WHERE id = NEW.item_id FOR SHARE;
  IF item.canary <> '' THEN
    RAISE EXCEPTION 'A canary never enters a release.' USING ERRCODE = 'check_violation';
  END IF;
  IF item.status <> 'APPROVED' THEN
    RAISE EXCEPTION 'Only an approved trajectory enters a release.' USING ERRCODE = 'check_violation';
  END IF;
  IF NOT item.accepted THEN
    RAISE EXCEPTION 'A trajectory that the verification rejects enters no release.' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER release_member_stays BEFORE UPDATE OR DELETE ON writ_app_releasemember
FOR EACH ROW EXECUTE FUNCTION writ_release_member_stays();

INSERT INTO writ_app_reviewslot (item_id, number, team_id, status, token, ready, uncertainty)
SELECT id, 1, team_id, 'OPEN', 0, true, uncertainty FROM writ_app_reviewitem WHERE ready
ON CONFLICT (item_id, number) DO NOTHING;
UPDATE writ_app_reviewitem AS item SET status = slot.status
FROM writ_app_reviewslot AS slot WHERE slot.item_id = item.id AND slot.status <> item.status AND slot.status <> 'OPEN';
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""


BREAK_PROMISES = """
DO $$
BEGIN
  IF EXISTS (SELECT FROM writ_app_reviewitem WHERE number > 1) THEN
    RAISE EXCEPTION 'There are edited versions or canaries, which the tables of before cannot hold.';
  END IF;
END $$;
DROP TRIGGER release_member_stays ON writ_app_releasemember;
DROP TRIGGER review_item_approval_stands ON writ_app_reviewitem;
DROP FUNCTION writ_approval_stands();
DROP TRIGGER review_item_is_open_again ON writ_app_reviewslot;
DROP TRIGGER review_item_is_settled ON writ_app_reviewslot;
DROP FUNCTION writ_item_is_settled();
DROP TRIGGER review_item_has_slots ON writ_app_reviewitem;
DROP FUNCTION writ_item_has_slots();
DROP TRIGGER trajectory_is_filed_for_review ON writ_app_trajectory;
DROP FUNCTION writ_trajectory_is_filed();
DELETE FROM writ_app_reviewslot WHERE number = 0;
CREATE OR REPLACE FUNCTION writ_release_member_enters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM writ_app_release WHERE id = NEW.release_id AND frozen_at IS NULL FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'A frozen release takes no more members.' USING ERRCODE = 'check_violation';
  END IF;
  PERFORM 1 FROM writ_app_reviewslot
  WHERE trajectory_id = NEW.trajectory_id AND status = 'APPROVED' FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'Only an approved trajectory enters a release.' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""

class Migration(migrations.Migration):
    dependencies = [
        ("writ_app", "0013_behaviour"),
    ]

    operations = [
        migrations.CreateModel(
            name="ArgumentSource",
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
                ("side", models.CharField(max_length=6)),
                ("write", models.PositiveSmallIntegerField()),
                ("pointer", models.CharField(max_length=400)),
                ("kind", models.CharField(max_length=20)),
                ("message", models.PositiveIntegerField(null=True)),
                ("source_pointer", models.CharField(blank=True, max_length=400)),
                ("value", models.CharField(blank=True, max_length=200)),
                ("detail", models.CharField(blank=True, max_length=400)),
            ],
        ),
        migrations.CreateModel(
            name="BulkAction",
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
                    "verdict",
                    models.CharField(
                        choices=[
                            ("APPROVE", "approve"),
                            ("REJECT", "reject"),
                            ("FIX", "needs a fix"),
                            ("DEFER", "defer"),
                            ("WITHDRAW", "withdraw"),
                        ],
                        max_length=10,
                    ),
                ),
                ("filters", models.JSONField(default=dict)),
                ("note", models.TextField(blank=True, max_length=4000)),
                ("total", models.PositiveIntegerField(default=0)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
                ("undone_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Comment",
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
                ("body", models.TextField(max_length=4000)),
                ("message", models.PositiveIntegerField(null=True)),
                ("pointer", models.CharField(blank=True, max_length=400)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
                ("withdrawn_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="FindRule",
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
                ("name", models.CharField(max_length=120)),
                ("filters", models.JSONField(default=dict)),
                ("hits", models.PositiveIntegerField(default=0)),
                ("requeued", models.PositiveIntegerField(default=0)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
                ("applied_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Mention",
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
                ("seen_at", models.DateTimeField(editable=False, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="PlannedItem",
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
                ("sampled", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="ReviewerKeys",
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
                ("keys", models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name="ReviewItem",
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
                ("number", models.PositiveSmallIntegerField(default=1)),
                ("canary", models.CharField(blank=True, db_default="", max_length=40)),
                ("content", writ_app.models.fields.OrderedJSONField(null=True)),
                ("verification", writ_app.models.fields.OrderedJSONField(null=True)),
                (
                    "edit_reason",
                    models.TextField(blank=True, db_default="", max_length=2000),
                ),
                ("changes", writ_app.models.fields.OrderedJSONField(null=True)),
                ("environment", models.CharField(max_length=60)),
                ("archetype", models.CharField(max_length=100)),
                ("task_class", models.CharField(max_length=20)),
                ("plan", models.CharField(max_length=40)),
                ("agent", models.CharField(max_length=200)),
                ("writes", models.PositiveSmallIntegerField()),
                ("burden", models.PositiveSmallIntegerField()),
                ("steps", models.PositiveSmallIntegerField()),
                ("ended_by", models.CharField(max_length=30)),
                ("scripted", models.BooleanField()),
                ("accepted", models.BooleanField()),
                ("ready", models.BooleanField()),
                ("reason", models.CharField(blank=True, max_length=40)),
                ("owner", models.CharField(blank=True, max_length=20)),
                (
                    "failed",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list
                    ),
                ),
                (
                    "kinds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), default=list
                    ),
                ),
                ("skeleton", models.TextField(blank=True)),
                ("outline", models.JSONField(default=list)),
                ("uncertainty", models.FloatField(default=0.0)),
                ("words", models.TextField(blank=True)),
                ("search", django.contrib.postgres.search.SearchVectorField(null=True)),
                ("wanted", models.PositiveSmallIntegerField(default=1)),
                (
                    "status",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("OPEN", "to review"),
                            ("APPROVED", "approved"),
                            ("REJECTED", "rejected"),
                            ("FIX", "needs a fix"),
                            ("DISPUTED", "disputed"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ReviewPolicy",
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
                    "second_share",
                    models.FloatField(
                        default=0.0,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1),
                        ],
                    ),
                ),
                (
                    "canary_share",
                    models.FloatField(
                        default=0.0,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(0.2),
                        ],
                    ),
                ),
                (
                    "lease_seconds",
                    models.PositiveIntegerField(
                        default=90,
                        validators=[
                            django.core.validators.MinValueValidator(30),
                            django.core.validators.MaxValueValidator(3600),
                        ],
                    ),
                ),
                (
                    "ahead",
                    models.PositiveSmallIntegerField(
                        default=2,
                        validators=[django.core.validators.MaxValueValidator(5)],
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SamplingPlan",
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
                ("filters", models.JSONField(default=dict)),
                ("lot", models.PositiveIntegerField()),
                ("size", models.PositiveIntegerField()),
                ("confidence", models.FloatField(default=0.95)),
                ("limit", models.FloatField()),
                ("seed", models.BigIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("SAMPLING", "being sampled"),
                            ("PASSED", "passed"),
                            ("FAILED", "stopped by a defect"),
                            ("APPLIED", "passed, rest approved"),
                            ("UNDONE", "undone"),
                        ],
                        default="SAMPLING",
                        max_length=10,
                    ),
                ),
                ("statement", models.TextField()),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
                ("finished_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="SavedView",
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
                ("name", models.CharField(max_length=80)),
                ("filters", models.JSONField(default=dict)),
                ("shared", models.BooleanField(default=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
            ],
            options={
                "ordering": ["name", "id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="releasemember",
            name="release_member_once",
        ),
        migrations.RemoveConstraint(
            model_name="reviewslot",
            name="slot_number_once",
        ),
        migrations.RemoveIndex(
            model_name="reviewslot",
            name="slot_open",
        ),
        migrations.AddField(
            model_name="reviewevent",
            name="message",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="reviewevent",
            name="pointer",
            field=models.CharField(blank=True, db_default="", max_length=400),
        ),
        migrations.AddField(
            model_name="reviewevent",
            name="write",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="reviewslot",
            name="ready",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="reviewslot",
            name="uncertainty",
            field=models.FloatField(default=0.0),
        ),
        migrations.AddField(
            model_name="bulkaction",
            name="by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="bulkaction",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="bulk_actions",
                to="writ_app.team",
            ),
        ),
        migrations.AddField(
            model_name="reviewevent",
            name="bulk",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="events",
                to="writ_app.bulkaction",
            ),
        ),
        migrations.AddIndex(
            model_name="reviewevent",
            index=models.Index(fields=["reviewer", "-id"], name="review_event_latest"),
        ),
        migrations.AddField(
            model_name="comment",
            name="author",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="comments",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="comment",
            name="parent",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replies",
                to="writ_app.comment",
            ),
        ),
        migrations.AddField(
            model_name="findrule",
            name="by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="findrule",
            name="event",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rules",
                to="writ_app.reviewevent",
            ),
        ),
        migrations.AddField(
            model_name="findrule",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="find_rules",
                to="writ_app.team",
            ),
        ),
        migrations.AddField(
            model_name="mention",
            name="comment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="mentions",
                to="writ_app.comment",
            ),
        ),
        migrations.AddField(
            model_name="mention",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="mentions",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="reviewerkeys",
            name="user",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="review_keys",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="reviewitem",
            name="batch",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="review_items",
                to="writ_app.batch",
            ),
        ),
        migrations.AddField(
            model_name="reviewitem",
            name="edited_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="reviewitem",
            name="parent",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="writ_app.reviewitem",
            ),
        ),
        migrations.AddField(
            model_name="reviewitem",
            name="task",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="review_items",
                to="writ_app.task",
            ),
        ),
        migrations.AddField(
            model_name="reviewitem",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="writ_app.team",
            ),
        ),
        migrations.AddField(
            model_name="reviewitem",
            name="trajectory",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="items",
                to="writ_app.trajectory",
            ),
        ),
        migrations.AddField(
            model_name="planneditem",
            name="item",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="plans",
                to="writ_app.reviewitem",
            ),
        ),
        migrations.AddField(
            model_name="comment",
            name="item",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="comments",
                to="writ_app.reviewitem",
            ),
        ),
        migrations.AddField(
            model_name="argumentsource",
            name="item",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="sources",
                to="writ_app.reviewitem",
            ),
        ),
        migrations.AddField(
            model_name="reviewpolicy",
            name="team",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="review_policy",
                to="writ_app.team",
            ),
        ),
        migrations.AddField(
            model_name="samplingplan",
            name="bulk",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="plan",
                to="writ_app.bulkaction",
            ),
        ),
        migrations.AddField(
            model_name="samplingplan",
            name="by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="samplingplan",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sampling_plans",
                to="writ_app.team",
            ),
        ),
        migrations.AddField(
            model_name="planneditem",
            name="plan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="items",
                to="writ_app.samplingplan",
            ),
        ),
        migrations.AddField(
            model_name="savedview",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="saved_views",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="savedview",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="saved_views",
                to="writ_app.team",
            ),
        ),
        migrations.AddIndex(
            model_name="mention",
            index=models.Index(
                condition=models.Q(("seen_at", None)),
                fields=["user"],
                name="mention_unseen",
            ),
        ),
        migrations.AddConstraint(
            model_name="mention",
            constraint=models.UniqueConstraint(
                fields=("comment", "user"), name="mentioned_once_per_comment"
            ),
        ),
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(fields=["team", "-id"], name="item_newest"),
        ),
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(fields=["team", "status", "-id"], name="item_by_status"),
        ),
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(
                fields=["team", "archetype", "-id"], name="item_by_archetype"
            ),
        ),
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(
                fields=["team", "writes", "burden"], name="item_by_cell"
            ),
        ),
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(fields=["batch", "-id"], name="item_by_batch"),
        ),
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(fields=["task"], name="item_by_task"),
        ),
        migrations.AddIndex(
            model_name="reviewitem",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["kinds"], name="item_kinds"
            ),
        ),
        migrations.AddIndex(
            model_name="reviewitem",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["search"], name="item_search"
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewitem",
            constraint=models.UniqueConstraint(
                condition=models.Q(("canary", "")),
                fields=("trajectory", "number"),
                name="review_item_number_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("canary", ""),
                        ("content__isnull", True),
                        ("number", 1),
                        ("parent__isnull", True),
                    ),
                    models.Q(
                        ("content__isnull", False),
                        ("number__gt", 1),
                        ("parent__isnull", False),
                        ("verification__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="review_item_own_content_iff_made_from_another",
            ),
        ),
        migrations.AddIndex(
            model_name="argumentsource",
            index=models.Index(fields=["kind", "item"], name="argument_source_by_kind"),
        ),
        migrations.AddConstraint(
            model_name="planneditem",
            constraint=models.UniqueConstraint(
                fields=("plan", "item"), name="planned_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(
                fields=("team", "owner", "name"), name="saved_view_once"
            ),
        ),
        migrations.RunSQL(FACETS, DROP_FACETS),
        migrations.RunSQL(FILE_ALL, UNFILE),
        *(
            step
            for model in ("reviewslot", "releasemember")
            for step in (
                migrations.RenameField(model, "trajectory", "item"),
                migrations.AlterField(
                    model,
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="slots"
                        if model == "reviewslot"
                        else "memberships",
                        to="writ_app.reviewitem",
                    ),
                ),
            )
        ),
        migrations.AddField(
            "reviewslot",
            "team",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="writ_app.team",
            ),
        ),
        migrations.RunSQL(TEAMS_OF_SLOTS, migrations.RunSQL.noop),
        migrations.AlterField(
            "reviewslot",
            "team",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="writ_app.team",
            ),
        ),
        migrations.AddIndex(
            model_name="reviewslot",
            index=models.Index(
                models.F("team"),
                models.OrderBy(models.F("deferred_at"), nulls_first=True),
                models.F("id"),
                condition=models.Q(("ready", True), ("status", "OPEN")),
                name="slot_open",
            ),
        ),
        migrations.AddIndex(
            model_name="reviewslot",
            index=models.Index(
                models.F("team"),
                models.OrderBy(models.F("uncertainty"), descending=True),
                models.F("id"),
                condition=models.Q(("ready", True), ("status", "OPEN")),
                name="slot_open_uncertain",
            ),
        ),
        migrations.AddIndex(
            model_name="reviewslot",
            index=models.Index(
                condition=models.Q(("leased_by__isnull", False), ("status", "OPEN")),
                fields=["leased_by", "leased_until"],
                name="slot_leased",
            ),
        ),
        migrations.AddConstraint(
            model_name="releasemember",
            constraint=models.UniqueConstraint(
                fields=("release", "item"), name="release_member_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewslot",
            constraint=models.UniqueConstraint(
                fields=("item", "number"), name="slot_number_once"
            ),
        ),
        migrations.RunSQL(PROMISES, BREAK_PROMISES),
    ]
