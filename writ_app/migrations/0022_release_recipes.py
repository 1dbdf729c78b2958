"""Releases have recipes, splits, hashes of rows and files, and a list of what was left out; the database keeps all of it as it was frozen.

Members and refusals come by the thousand, so their promises are kept once per statement. A draft's members are no promise yet:
an approval can be withdrawn until the release is frozen, and freezing looks at every member again.

Releases that are frozen already stay as they are: their manifest (version 1) holds the hashes of their rows, and the new columns
stay empty.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
import writ_app.models.fields
from django.db import migrations, models

CREATE = """
DROP TRIGGER release_member_is_approved ON writ_app_releasemember;
DROP FUNCTION writ_release_member_enters();
DROP TRIGGER release_member_stays ON writ_app_releasemember;
DROP FUNCTION writ_release_member_stays();

-- Raises unless every one of these releases is still a draft. The lock makes a freeze wait, or waits for it.
CREATE FUNCTION writ_release_is_draft(releases bigint[], refusal text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM (
      SELECT frozen_at FROM writ_app_release WHERE id = ANY(releases) ORDER BY id FOR SHARE) AS release
    WHERE frozen_at IS NOT NULL) THEN
    RAISE EXCEPTION '%', refusal USING ERRCODE = 'check_violation';
  END IF;
END $$;

-- Raises unless every one of these items may be released, and is the team's. The locks make an undo wait, or wait for it.
CREATE FUNCTION writ_items_are_releasable(items bigint[], team bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  found record;
BEGIN
  SELECT bool_or(canary <> '') AS canary, bool_or(status <> 'APPROVED') AS unapproved,
         bool_or(NOT accepted) AS rejected, bool_or(team_id <> team) AS foreign_
  INTO found FROM (
    SELECT canary, status, accepted, team_id FROM writ_app_reviewitem WHERE id = ANY(items) ORDER BY id FOR SHARE) AS item;
  IF found.canary THEN
    RAISE EXCEPTION 'A canary never enters a release.' USING ERRCODE = 'check_violation';
  END IF;
  IF found.unapproved THEN
    RAISE EXCEPTION 'Only an approved trajectory enters a release.' USING ERRCODE = 'check_violation';
  END IF;
  IF found.rejected THEN
    RAISE EXCEPTION 'A trajectory that the verification rejects enters no release.' USING ERRCODE = 'check_violation';
  END IF;
  IF found.foreign_ THEN
    RAISE EXCEPTION 'A release takes only what its own team reviewed.' USING ERRCODE = 'check_violation';
  END IF;
END $$;

CREATE FUNCTION writ_release_members_enter() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  one record;
BEGIN
  PERFORM writ_release_is_draft(
    (SELECT array_agg(DISTINCT release_id) FROM entered), 'A frozen release takes no more members.');
  FOR one IN
    SELECT release.team_id, array_agg(entered.item_id) AS items
    FROM entered JOIN writ_app_release AS release ON release.id = entered.release_id GROUP BY release.team_id
  LOOP
    PERFORM writ_items_are_releasable(one.items, one.team_id);
  END LOOP;
  RETURN NULL;
END $$;

CREATE TRIGGER release_members_are_releasable AFTER INSERT ON writ_app_releasemember
REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION writ_release_members_enter();

CREATE TRIGGER release_member_stays BEFORE UPDATE ON writ_app_releasemember FOR EACH ROW
EXECUTE FUNCTION writ_refuse('The members of a release are not changed, nor those of a frozen one deleted.');

CREATE FUNCTION writ_release_parts_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM writ_release_is_draft((SELECT array_agg(DISTINCT release_id) FROM gone), TG_ARGV[0]);
  RETURN NULL;
END $$;

CREATE TRIGGER release_members_stay AFTER DELETE ON writ_app_releasemember
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION writ_release_parts_stay('The members of a release are not changed, nor those of a frozen one deleted.');

CREATE FUNCTION writ_release_refusals_enter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM writ_release_is_draft(
    (SELECT array_agg(DISTINCT release_id) FROM entered), 'What a frozen release left out is not changed.');
  RETURN NULL;
END $$;

CREATE TRIGGER release_refusals_enter AFTER INSERT ON writ_app_releaserefusal
REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION writ_release_refusals_enter();

CREATE TRIGGER release_refusal_stays BEFORE UPDATE ON writ_app_releaserefusal FOR EACH ROW
EXECUTE FUNCTION writ_refuse('What a release left out is not changed.');

CREATE TRIGGER release_refusals_stay AFTER DELETE ON writ_app_releaserefusal
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION writ_release_parts_stay('What a frozen release left out is not changed.');

CREATE FUNCTION writ_release_file_enters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM writ_app_release WHERE id = NEW.release_id AND frozen_at IS NOT NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'Only files of a frozen release have a hash to keep.' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER release_file_is_of_a_frozen_one BEFORE INSERT ON writ_app_releasefile
FOR EACH ROW EXECUTE FUNCTION writ_release_file_enters();

CREATE TRIGGER release_file_stays BEFORE UPDATE OR DELETE ON writ_app_releasefile
FOR EACH ROW EXECUTE FUNCTION writ_refuse('What a file of a release came to is never changed or deleted.');

-- Freezing: every member is looked at again, so that what was withdrawn since it was chosen stays out.
CREATE FUNCTION writ_release_freezes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  members record;
BEGIN
  SELECT array_agg(item_id) AS items, bool_or(row_hash = '') AS unhashed INTO members
  FROM writ_app_releasemember WHERE release_id = NEW.id;
  IF members.items IS NULL THEN
    RAISE EXCEPTION 'A release without members is not frozen.' USING ERRCODE = 'check_violation';
  END IF;
  IF members.unhashed AND (NEW.manifest ->> 'manifest_version')::int > 1 THEN
    RAISE EXCEPTION 'A member of the release has no hash of its row.' USING ERRCODE = 'check_violation';
  END IF;
  PERFORM writ_items_are_releasable(members.items, NEW.team_id);
  RETURN NEW;
END $$;

CREATE TRIGGER release_freezes BEFORE UPDATE ON writ_app_release
FOR EACH ROW WHEN (OLD.frozen_at IS NULL AND NEW.frozen_at IS NOT NULL) EXECUTE FUNCTION writ_release_freezes();

CREATE TRIGGER release_begins_as_a_draft BEFORE INSERT ON writ_app_release
FOR EACH ROW WHEN (NEW.frozen_at IS NOT NULL) EXECUTE FUNCTION writ_refuse('A release begins as a draft.');

CREATE OR REPLACE FUNCTION writ_approval_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status = 'APPROVED' THEN
    IF NOT NEW.ready THEN
      RAISE EXCEPTION 'A check fails, so it cannot be approved.' USING ERRCODE = 'check_violation';
    END IF;
  ELSE
    PERFORM 1 FROM writ_app_releasemember AS member JOIN writ_app_release AS release ON release.id = member.release_id
    WHERE member.item_id = NEW.id AND release.frozen_at IS NOT NULL;
    IF FOUND THEN
      RAISE EXCEPTION 'It is in a release, so its approval stands.' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;
"""

DROP = """
CREATE OR REPLACE FUNCTION writ_approval_stands() RETURNS trigger LANGUAGE plpgsql AS $$
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
DROP TRIGGER release_begins_as_a_draft ON writ_app_release;
DROP TRIGGER release_freezes ON writ_app_release;
DROP FUNCTION writ_release_freezes();
DROP TRIGGER release_file_stays ON writ_app_releasefile;
DROP TRIGGER release_file_is_of_a_frozen_one ON writ_app_releasefile;
DROP FUNCTION writ_release_file_enters();
DROP TRIGGER release_refusals_stay ON writ_app_releaserefusal;
DROP TRIGGER release_refusal_stays ON writ_app_releaserefusal;
DROP TRIGGER release_refusals_enter ON writ_app_releaserefusal;
DROP FUNCTION writ_release_refusals_enter();
DROP TRIGGER release_members_stay ON writ_app_releasemember;
DROP TRIGGER release_member_stays ON writ_app_releasemember;
DROP TRIGGER release_members_are_releasable ON writ_app_releasemember;
DROP FUNCTION writ_release_parts_stay();
DROP FUNCTION writ_release_members_enter();
DROP FUNCTION writ_items_are_releasable(bigint[], bigint);
DROP FUNCTION writ_release_is_draft(bigint[], text);

CREATE FUNCTION writ_release_member_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM writ_app_release WHERE id = OLD.release_id AND frozen_at IS NOT NULL;
  IF FOUND OR TG_OP = 'UPDATE' THEN
    RAISE EXCEPTION 'The members of a release are not changed, nor those of a frozen one deleted.'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN OLD;
END $$;

CREATE TRIGGER release_member_stays BEFORE UPDATE OR DELETE ON writ_app_releasemember
FOR EACH ROW EXECUTE FUNCTION writ_release_member_stays();

CREATE FUNCTION writ_release_member_enters() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE TRIGGER release_member_is_approved BEFORE INSERT ON writ_app_releasemember
FOR EACH ROW EXECUTE FUNCTION writ_release_member_enters();
"""


class Migration(migrations.Migration):
    dependencies = [("writ_app", "0021_earlier_judgements")]

    operations = [
        *(
            migrations.AddField(model_name="release", name=name, field=field)
            for name, field in (
                ("recipe", writ_app.models.fields.OrderedJSONField(default=dict, db_default={})),
                (
                    "licence",
                    models.CharField(blank=True, db_default="", max_length=64),
                ),
                (
                    "description",
                    models.TextField(blank=True, db_default="", max_length=4000),
                ),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("NEW", "to be chosen"),
                            ("CHOOSING", "being chosen"),
                            ("READY", "ready"),
                            ("FREEZING", "being frozen"),
                            ("FAILED", "stopped"),
                        ],
                        db_default="NEW",
                        default="NEW",
                        max_length=10,
                    ),
                ),
                ("revision", models.PositiveIntegerField(db_default=0, default=0)),
                ("whole", models.PositiveIntegerField(db_default=0, default=0)),
                ("dealt_with", models.PositiveIntegerField(db_default=0, default=0)),
                ("trouble", models.TextField(blank=True, db_default="")),
                (
                    "touched_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
            )
        ),
        migrations.AddField(
            model_name="releasemember",
            name="row_hash",
            field=models.CharField(blank=True, db_default="", max_length=64),
        ),
        migrations.AddField(
            model_name="releasemember",
            name="split",
            field=models.CharField(blank=True, db_default="", max_length=20),
        ),
        migrations.AddField(
            model_name="releasemember",
            name="tokens",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.CreateModel(
            name="ReleaseFile",
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
                ("path", models.CharField(max_length=200)),
                ("slug", models.CharField(max_length=40)),
                ("split", models.CharField(blank=True, max_length=20)),
                ("rows", models.PositiveIntegerField()),
                ("bytes", models.PositiveBigIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="files",
                        to="writ_app.release",
                    ),
                ),
            ],
            options={
                "ordering": ["release_id", "path"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("release", "path"), name="release_file_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ReleaseRefusal",
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
                ("reason", models.CharField(max_length=40)),
                ("detail", models.TextField(blank=True, db_default="")),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="writ_app.reviewitem",
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refusals",
                        to="writ_app.release",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["release", "reason", "item"],
                        name="release_refusal_by_reason",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("release", "item"), name="release_refusal_once"
                    )
                ],
            },
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
