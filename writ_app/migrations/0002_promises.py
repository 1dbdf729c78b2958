"""Promises that the database itself keeps, whoever writes to it.

TRUNCATE fires no row trigger, so that tests can empty tables.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION writ_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER review_event_is_append_only BEFORE UPDATE OR DELETE ON writ_app_reviewevent
FOR EACH ROW EXECUTE FUNCTION writ_refuse('A review event is never changed or deleted.');

CREATE TRIGGER release_frozen_stays BEFORE UPDATE OR DELETE ON writ_app_release
FOR EACH ROW WHEN (OLD.frozen_at IS NOT NULL)
EXECUTE FUNCTION writ_refuse('A frozen release is never changed or deleted.');

-- The locks make an undo that goes on at the same moment wait for the freeze, or the freeze for the undo.
CREATE FUNCTION writ_release_member_enters() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE TRIGGER release_member_is_approved BEFORE INSERT ON writ_app_releasemember
FOR EACH ROW EXECUTE FUNCTION writ_release_member_enters();

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

DROP = """
DROP TRIGGER review_slot_approval_stands ON writ_app_reviewslot;
DROP TRIGGER release_member_stays ON writ_app_releasemember;
DROP TRIGGER release_member_is_approved ON writ_app_releasemember;
DROP TRIGGER release_frozen_stays ON writ_app_release;
DROP TRIGGER review_event_is_append_only ON writ_app_reviewevent;
DROP FUNCTION writ_approval_stands();
DROP FUNCTION writ_release_member_stays();
DROP FUNCTION writ_release_member_enters();
DROP FUNCTION writ_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("writ_app", "0001_first")]

    operations = [migrations.RunSQL(CREATE, DROP)]
