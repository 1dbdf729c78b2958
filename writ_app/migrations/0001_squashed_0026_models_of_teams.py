"""Everything up to 0026 in one step, for databases that begin here: a quarter of the time.

Databases that took the steps one by one are known to be as far (`replaces`). Both ways lead to the same schema, which
tests/models/test_first_to_last.py holds them to.
"""

import django.contrib.auth.models
import django.contrib.auth.validators
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.utils.timezone
import writ_app.models.endpoint_rules
import writ_app.models.fields
from django.conf import settings
from django.db import migrations, models


FUNCTIONS = r"""
SET LOCAL check_function_bodies = off;

CREATE FUNCTION writ_refuse()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation';
END $function$;

CREATE FUNCTION writ_verification_version()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  NEW.version := coalesce(NEW.verification ->> 'version', '');
  RETURN NEW;
END $function$;

CREATE FUNCTION writ_file_judgement()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  INSERT INTO writ_app_judgement (trajectory_id, version, content, accepted, reason, owner)
  VALUES (NEW.id, NEW.version, NEW.verification, NEW.accepted, NEW.reason, NEW.owner)
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $function$;

CREATE FUNCTION writ_readable(value json)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
AS $function$
BEGIN
  RETURN value::jsonb;
EXCEPTION WHEN untranslatable_character OR invalid_text_representation THEN
  RETURN regexp_replace(value::text, '\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\\ufffd', 'g')::jsonb;
END $function$;

CREATE FUNCTION writ_item_is_found_by()
 RETURNS trigger
 LANGUAGE plpgsql
 SET jit TO 'off'
 SET enable_memoize TO 'off'
AS $function$
DECLARE
  made record;
  talk jsonb;
  judged jsonb;
BEGIN
  SELECT trajectory.*, origin.* INTO STRICT made
  FROM writ_app_trajectory AS trajectory CROSS JOIN LATERAL writ_made(trajectory.simulation_id) AS origin
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
  SELECT failed, kinds, uncertainty INTO NEW.failed, NEW.kinds, NEW.uncertainty
  FROM writ_judged(judged->'checks', judged->'provenance');
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
  SELECT outline, skeleton, words INTO NEW.outline, NEW.skeleton, NEW.words FROM writ_told(talk->'messages');
  NEW.search := to_tsvector('simple', NEW.words);

  IF TG_OP = 'INSERT' THEN
    IF NEW.content IS NOT NULL THEN
      -- One sequence for all, so that a version's number tells nothing and the one as simulated has its trajectory's.
      NEW.id := nextval(pg_get_serial_sequence('writ_app_trajectory', 'id'));
    ELSIF writ_wanted(NEW.id, NEW.team_id, made.second_share) = 2 THEN
      NEW.wanted := 2;
    END IF;
  END IF;
  IF NEW.status IN ('', 'OPEN') THEN
    NEW.status := CASE WHEN NEW.ready THEN 'OPEN' ELSE '' END;
  END IF;
  RETURN NEW;
END $function$;

CREATE FUNCTION writ_item_has_sources()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    DELETE FROM writ_app_argumentsource WHERE item_id = NEW.id;
  END IF;
  INSERT INTO writ_app_argumentsource (item_id, side, write, pointer, kind, message, source_pointer, value, detail)
  SELECT NEW.id, source.* FROM writ_sources(writ_readable(coalesce(NEW.verification,
    (SELECT verification FROM writ_app_trajectory WHERE id = NEW.trajectory_id)))->'provenance') AS source;
  RETURN NULL;
END $function$;

CREATE FUNCTION writ_trajectory_is_filed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  UPDATE writ_app_reviewitem SET accepted = NEW.accepted WHERE id = NEW.id;
  RETURN NULL;
END $function$;

CREATE FUNCTION writ_item_has_slots()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
END $function$;

CREATE FUNCTION writ_item_is_settled()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
END $function$;

CREATE FUNCTION writ_approval_stands()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
END $function$;

CREATE FUNCTION writ_version_inherits_canary()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF NEW.canary = '' THEN
    NEW.canary := coalesce((SELECT canary FROM writ_app_reviewitem WHERE id = NEW.parent_id), '');
  END IF;
  RETURN NEW;
END $function$;

CREATE FUNCTION writ_version_is_withdrawn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  UPDATE writ_app_reviewslot SET token = token + 1, leased_by_id = NULL, leased_until = NULL
  WHERE item_id = NEW.item_id AND status = 'OPEN';
  PERFORM 1 FROM writ_app_reviewslot WHERE item_id = NEW.item_id AND status <> 'OPEN';
  IF FOUND THEN
    RAISE EXCEPTION 'A version that has a verdict is not withdrawn.' USING ERRCODE = 'check_violation';
  END IF;
  UPDATE writ_app_reviewitem SET wanted = 0, status = '' WHERE id = NEW.item_id;
  RETURN NULL;
END $function$;

CREATE FUNCTION writ_version_goes_with_its_verdict()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  INSERT INTO writ_app_versionevent (item_id, act, by_id)
  SELECT saved.item_id, 'WITHDRAWN', NEW.reviewer_id FROM writ_app_versionevent AS saved
  WHERE saved.verdict_id = NEW.withdraws_id
    AND NOT EXISTS (SELECT FROM writ_app_reviewslot AS slot WHERE slot.item_id = saved.item_id AND slot.status <> 'OPEN')
  ON CONFLICT (item_id, act) DO NOTHING;
  RETURN NULL;
END $function$;

CREATE FUNCTION writ_cluster(environment text, task_class text, skeleton text, kinds character varying[], failed character varying[])
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  SELECT md5(environment || E'\n' || task_class || E'\n' || skeleton || E'\n' || array_to_string(kinds, ' ')
    || E'\n' || array_to_string(failed, ' '))
$function$;

CREATE FUNCTION writ_told(messages jsonb, OUT outline jsonb, OUT skeleton text, OUT words text)
 RETURNS SETOF record
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  WITH said AS MATERIALIZED (
    SELECT number, role, length(content) AS size, CASE WHEN role <> 'tool' THEN left(content, 4000) END AS text,
           nullif(nullif(calls, 'null'), '[]') AS calls, answers, error
    FROM (
      SELECT number, value->>'role' AS role, value->>'content' AS content, value->'tool_calls' AS calls,
             value->>'tool_call_id' AS answers, value->>'error' AS error
      FROM jsonb_array_elements(messages) WITH ORDINALITY AS one (value, number)
    ) AS message
  ), steps AS (
    SELECT number, 0 AS place, nullif(text, '') AS text, NULL AS tool,
           CASE role WHEN 'user' THEN '["u",' ELSE '["s",' END || coalesce(size::text, 'null') || ']' AS step
    FROM said
    WHERE role <> 'tool' AND (text <> '' OR calls IS NULL)
    UNION ALL
    SELECT said.number, made.place, (
             SELECT string_agg(left(value #>> '{}', 1000), ' ')
             FROM jsonb_path_query(made.value->'arguments', 'strict $.** ? (@.type() == "string")') AS argument (value)
           ), left(made.value->>'name', 100),
           CASE WHEN answer.error::boolean THEN '["e",' ELSE '["c",' END
             || coalesce((coalesce(answer.size, 0) + length(made.value->>'arguments'))::text, 'null') || ','
             || coalesce(to_json(left(made.value->>'name', 100))::text, 'null') || ']'
    FROM said
    CROSS JOIN LATERAL jsonb_array_elements(said.calls) WITH ORDINALITY AS made (value, place)
    LEFT JOIN said AS answer ON answer.role = 'tool' AND answer.answers = made.value->>'id'
    WHERE said.calls IS NOT NULL
  )
  SELECT ('[' || coalesce(array_to_string((array_agg(step))[:400], ','), '') || ']')::jsonb,
         coalesce(array_to_string((array_agg(tool))[:400], ' '), ''),
         left(coalesce(string_agg(text, ' '), ''), 30000)
  FROM (SELECT * FROM steps ORDER BY number, place) AS steps
$function$;

CREATE FUNCTION writ_judged(checks jsonb, provenance jsonb, OUT failed text[], OUT kinds text[], OUT uncertainty double precision)
 RETURNS SETOF record
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  SELECT ARRAY(
           SELECT value->>'name' FROM jsonb_array_elements(checks) WITH ORDINALITY AS one (value, number)
           WHERE NOT (value->>'passed')::boolean ORDER BY number),
         coalesce(array_agg(DISTINCT kind ORDER BY kind), '{}'),
         coalesce(avg((kind NOT IN ('exact', 'said', 'policy'))::int), 0)
  FROM (
    SELECT value->>'kind' AS kind FROM jsonb_array_elements(coalesce(provenance, '[]')) AS one (value)
    WHERE coalesce(value->>'side', 'actual') = 'actual'
  ) AS arguments
$function$;

CREATE FUNCTION writ_made(simulation_id bigint, OUT team_id bigint, OUT batch_id bigint, OUT task_id bigint, OUT environment text, OUT archetype text, OUT task_class text, OUT writes smallint, OUT burden smallint, OUT plan text, OUT second_share double precision)
 RETURNS SETOF record
 LANGUAGE sql
 STABLE
AS $function$
  SELECT batch.team_id, batch.id, task.id, environment.name, task.archetype, task.task_class, task.writes, task.burden,
         simulation.plan, coalesce(policy.second_share, 0)
  FROM writ_app_simulation AS simulation
  JOIN writ_app_batch AS batch ON batch.id = simulation.batch_id
  JOIN writ_app_task AS task ON task.id = simulation.task_id
  JOIN writ_app_environment AS environment ON environment.id = task.environment_id
  LEFT JOIN writ_app_reviewpolicy AS policy ON policy.team_id = batch.team_id
  WHERE simulation.id = writ_made.simulation_id
  LIMIT 1
$function$;

CREATE FUNCTION writ_wanted(item bigint, team bigint, second_share double precision)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  SELECT CASE WHEN (hashint8extended(item, team) & 1048575) < second_share * 1048576 THEN 2 ELSE 1 END
$function$;

CREATE FUNCTION writ_sources(provenance jsonb, OUT side text, OUT write integer, OUT pointer text, OUT kind text, OUT message integer, OUT source_pointer text, OUT value text, OUT detail text)
 RETURNS SETOF record
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  SELECT coalesce(one->>'side', 'actual'), (one->>'write')::int, left(one->>'pointer', 400), one->>'kind', (one->>'source')::int,
         left(coalesce(one->>'source_pointer', ''), 400), left(coalesce(one->>'value', ''), 200),
         left(coalesce(one->>'detail', ''), 400)
  FROM jsonb_array_elements(coalesce(provenance, '[]')) AS one
$function$;

CREATE FUNCTION writ_trajectories_are_filed()
 RETURNS trigger
 LANGUAGE plpgsql
 SET jit TO 'off'
 SET enable_memoize TO 'off'
AS $function$
BEGIN
  -- The row as stored has its verification compressed already.
  INSERT INTO writ_app_judgement (trajectory_id, version, content, accepted, reason, owner)
  SELECT id, version, (SELECT stored.verification FROM writ_app_trajectory AS stored WHERE stored.id = filed.id),
         accepted, reason, owner
  FROM filed;

  WITH read AS MATERIALIZED (
    SELECT filed.id, simulation_id, scripted, accepted, reason, owner, left(coalesce(agent, ''), 200) AS agent,
           left(coalesce(talk.ended_by, filed.ended_by), 30) AS ended_by, jsonb_array_length(messages) AS steps,
           outline, skeleton, words, to_tsvector('simple', words) AS search, provenance, failed, kinds, uncertainty
    FROM filed
    CROSS JOIN LATERAL jsonb_to_record(writ_readable(content)) AS talk (agent text, ended_by text, messages jsonb)
    CROSS JOIN LATERAL jsonb_to_record(writ_readable(verification)) AS judgement (checks jsonb, provenance jsonb)
    CROSS JOIN LATERAL writ_told(messages)
    CROSS JOIN LATERAL writ_judged(checks, provenance)
  ), items AS (
    -- A trajectory without a simulation fails here, for want of a team.
    INSERT INTO writ_app_reviewitem
      (id, trajectory_id, number, team_id, batch_id, task_id, environment, archetype, task_class, writes, burden, plan, scripted,
       agent, steps, ended_by, accepted, ready, reason, owner, failed, kinds, uncertainty, outline, skeleton, words, search, wanted,
       status)
    SELECT read.id, read.id, 1, team_id, batch_id, task_id, environment, archetype, task_class, writes, burden, plan, scripted,
           agent, steps, ended_by, accepted, accepted, reason, owner, failed, kinds, uncertainty, outline, skeleton, words, search,
           writ_wanted(read.id, team_id, second_share), CASE WHEN accepted THEN 'OPEN' ELSE '' END
    FROM read LEFT JOIN LATERAL writ_made(simulation_id) ON true
    RETURNING id, team_id, wanted, ready, uncertainty
  ), sources AS (
    INSERT INTO writ_app_argumentsource (item_id, side, write, pointer, kind, message, source_pointer, value, detail)
    SELECT read.id, source.* FROM read CROSS JOIN LATERAL writ_sources(provenance) AS source
  )
  INSERT INTO writ_app_reviewslot (item_id, number, team_id, status, token, ready, uncertainty)
  SELECT id, number, team_id, 'OPEN', 0, true, uncertainty
  FROM items CROSS JOIN LATERAL generate_series(1, wanted) AS number WHERE ready;
  RETURN NULL;
END $function$;

CREATE FUNCTION writ_version_is_judged_by()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  NEW.judged_by := left(coalesce(writ_readable(NEW.verification) ->> 'version', ''), 20);
  RETURN NEW;
END $function$;

CREATE FUNCTION writ_release_is_draft(releases bigint[], refusal text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF EXISTS (
    SELECT FROM (
      SELECT frozen_at FROM writ_app_release WHERE id = ANY(releases) ORDER BY id FOR SHARE) AS release
    WHERE frozen_at IS NOT NULL) THEN
    RAISE EXCEPTION '%', refusal USING ERRCODE = 'check_violation';
  END IF;
END $function$;

CREATE FUNCTION writ_items_are_releasable(items bigint[], team bigint)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
END $function$;

CREATE FUNCTION writ_release_members_enter()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
END $function$;

CREATE FUNCTION writ_release_parts_stay()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  PERFORM writ_release_is_draft((SELECT array_agg(DISTINCT release_id) FROM gone), TG_ARGV[0]);
  RETURN NULL;
END $function$;

CREATE FUNCTION writ_release_refusals_enter()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  PERFORM writ_release_is_draft(
    (SELECT array_agg(DISTINCT release_id) FROM entered), 'What a frozen release left out is not changed.');
  RETURN NULL;
END $function$;

CREATE FUNCTION writ_release_file_enters()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  PERFORM 1 FROM writ_app_release WHERE id = NEW.release_id AND frozen_at IS NOT NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'Only files of a frozen release have a hash to keep.' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$;

CREATE FUNCTION writ_release_freezes()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
END $function$;
"""
"""Made before the tables they speak of: some columns are generated by them."""

TRIGGERS = r"""
ALTER TABLE writ_app_reviewitem ALTER search SET STORAGE MAIN;

CREATE TRIGGER review_event_is_append_only BEFORE DELETE OR UPDATE ON writ_app_reviewevent FOR EACH ROW EXECUTE FUNCTION writ_refuse('A review event is never changed or deleted.');
CREATE TRIGGER release_frozen_stays BEFORE DELETE OR UPDATE ON writ_app_release FOR EACH ROW WHEN ((old.frozen_at IS NOT NULL)) EXECUTE FUNCTION writ_refuse('A frozen release is never changed or deleted.');
CREATE TRIGGER trajectory_says_version BEFORE INSERT OR UPDATE ON writ_app_trajectory FOR EACH ROW EXECUTE FUNCTION writ_verification_version();
CREATE TRIGGER trajectory_files_judgement AFTER UPDATE OF verification ON writ_app_trajectory FOR EACH ROW EXECUTE FUNCTION writ_file_judgement();
CREATE TRIGGER judgement_is_append_only BEFORE DELETE OR UPDATE ON writ_app_judgement FOR EACH ROW EXECUTE FUNCTION writ_refuse('A judgement is never changed or deleted.');
CREATE TRIGGER review_item_is_found_by BEFORE INSERT ON writ_app_reviewitem FOR EACH ROW WHEN ((pg_trigger_depth() = 0)) EXECUTE FUNCTION writ_item_is_found_by();
CREATE TRIGGER review_item_has_sources AFTER INSERT ON writ_app_reviewitem FOR EACH ROW WHEN ((pg_trigger_depth() = 0)) EXECUTE FUNCTION writ_item_has_sources();
CREATE TRIGGER trajectory_is_filed_for_review AFTER UPDATE OF verification, accepted ON writ_app_trajectory FOR EACH ROW EXECUTE FUNCTION writ_trajectory_is_filed();
CREATE TRIGGER review_item_has_slots AFTER INSERT ON writ_app_reviewitem FOR EACH ROW WHEN ((pg_trigger_depth() = 0)) EXECUTE FUNCTION writ_item_has_slots();
CREATE TRIGGER review_item_is_settled AFTER UPDATE OF status ON writ_app_reviewslot FOR EACH ROW WHEN (((old.status)::text <> (new.status)::text)) EXECUTE FUNCTION writ_item_is_settled();
CREATE TRIGGER review_item_is_open_again AFTER INSERT ON writ_app_reviewslot FOR EACH ROW WHEN ((new.number > 1)) EXECUTE FUNCTION writ_item_is_settled();
CREATE TRIGGER review_item_approval_stands BEFORE UPDATE OF status ON writ_app_reviewitem FOR EACH ROW WHEN ((((old.status)::text = 'APPROVED'::text) <> ((new.status)::text = 'APPROVED'::text))) EXECUTE FUNCTION writ_approval_stands();
CREATE TRIGGER version_event_is_append_only BEFORE DELETE OR UPDATE ON writ_app_versionevent FOR EACH ROW EXECUTE FUNCTION writ_refuse('An event of a version is never changed or deleted.');
CREATE TRIGGER review_item_inherits_canary BEFORE INSERT ON writ_app_reviewitem FOR EACH ROW WHEN ((new.parent_id IS NOT NULL)) EXECUTE FUNCTION writ_version_inherits_canary();
CREATE TRIGGER version_is_withdrawn AFTER INSERT ON writ_app_versionevent FOR EACH ROW WHEN (((new.act)::text = 'WITHDRAWN'::text)) EXECUTE FUNCTION writ_version_is_withdrawn();
CREATE TRIGGER version_goes_with_its_verdict AFTER INSERT ON writ_app_reviewevent FOR EACH ROW WHEN ((new.withdraws_id IS NOT NULL)) EXECUTE FUNCTION writ_version_goes_with_its_verdict();
CREATE TRIGGER trajectories_are_filed AFTER INSERT ON writ_app_trajectory REFERENCING NEW TABLE AS filed FOR EACH STATEMENT EXECUTE FUNCTION writ_trajectories_are_filed();
CREATE TRIGGER review_item_is_found_anew BEFORE UPDATE OF accepted, content, verification ON writ_app_reviewitem FOR EACH ROW EXECUTE FUNCTION writ_item_is_found_by();
CREATE TRIGGER review_item_has_sources_anew AFTER UPDATE OF accepted, content, verification ON writ_app_reviewitem FOR EACH ROW EXECUTE FUNCTION writ_item_has_sources();
CREATE TRIGGER review_item_has_slots_anew AFTER UPDATE OF accepted, content, verification, wanted ON writ_app_reviewitem FOR EACH ROW EXECUTE FUNCTION writ_item_has_slots();
CREATE TRIGGER review_item_says_judged_by BEFORE INSERT OR UPDATE OF verification, judged_by ON writ_app_reviewitem FOR EACH ROW WHEN ((new.parent_id IS NOT NULL)) EXECUTE FUNCTION writ_version_is_judged_by();
CREATE TRIGGER earlier_judgement_is_append_only BEFORE DELETE OR UPDATE ON writ_app_earlierjudgement FOR EACH ROW EXECUTE FUNCTION writ_refuse('A judgement is never changed or deleted.');
CREATE TRIGGER release_members_are_releasable AFTER INSERT ON writ_app_releasemember REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION writ_release_members_enter();
CREATE TRIGGER release_member_stays BEFORE UPDATE ON writ_app_releasemember FOR EACH ROW EXECUTE FUNCTION writ_refuse('The members of a release are not changed, nor those of a frozen one deleted.');
CREATE TRIGGER release_members_stay AFTER DELETE ON writ_app_releasemember REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION writ_release_parts_stay('The members of a release are not changed, nor those of a frozen one deleted.');
CREATE TRIGGER release_refusals_enter AFTER INSERT ON writ_app_releaserefusal REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION writ_release_refusals_enter();
CREATE TRIGGER release_refusal_stays BEFORE UPDATE ON writ_app_releaserefusal FOR EACH ROW EXECUTE FUNCTION writ_refuse('What a release left out is not changed.');
CREATE TRIGGER release_refusals_stay AFTER DELETE ON writ_app_releaserefusal REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION writ_release_parts_stay('What a frozen release left out is not changed.');
CREATE TRIGGER release_file_is_of_a_frozen_one BEFORE INSERT ON writ_app_releasefile FOR EACH ROW EXECUTE FUNCTION writ_release_file_enters();
CREATE TRIGGER release_file_stays BEFORE DELETE OR UPDATE ON writ_app_releasefile FOR EACH ROW EXECUTE FUNCTION writ_refuse('What a file of a release came to is never changed or deleted.');
CREATE TRIGGER release_freezes BEFORE UPDATE ON writ_app_release FOR EACH ROW WHEN (((old.frozen_at IS NULL) AND (new.frozen_at IS NOT NULL))) EXECUTE FUNCTION writ_release_freezes();
CREATE TRIGGER release_begins_as_a_draft BEFORE INSERT ON writ_app_release FOR EACH ROW WHEN ((new.frozen_at IS NOT NULL)) EXECUTE FUNCTION writ_refuse('A release begins as a draft.');
"""


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ('writ_app', '0001_first'),
        ('writ_app', '0002_promises'),
        ('writ_app', '0003_reference_trajectories'),
        ('writ_app', '0004_environment_mode'),
        ('writ_app', '0005_task_classes'),
        ('writ_app', '0006_paraphrases'),
        ('writ_app', '0007_task_facets'),
        ('writ_app', '0008_batch_grid'),
        ('writ_app', '0009_endpoints'),
        ('writ_app', '0010_simulation_runs'),
        ('writ_app', '0011_turn_sums'),
        ('writ_app', '0012_judgements'),
        ('writ_app', '0013_behaviour'),
        ('writ_app', '0014_review_items'),
        ('writ_app', '0015_verdicts'),
        ('writ_app', '0016_edits'),
        ('writ_app', '0017_quality_indexes'),
        ('writ_app', '0018_lists'),
        ('writ_app', '0019_clusters'),
        ('writ_app', '0020_filing'),
        ('writ_app', '0021_earlier_judgements'),
        ('writ_app', '0022_release_recipes'),
        ('writ_app', '0023_reports'),
        ('writ_app', '0024_reference_imports'),
        ('writ_app', '0025_teams'),
        ('writ_app', '0026_models_of_teams'),
    ]

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
        migrations.CreateModel(
            name='Team',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, unique=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('username', models.CharField(error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'verbose_name': 'user',
                'verbose_name_plural': 'users',
                'abstract': False,
            },
            managers=[
                ('objects', django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name='Environment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(max_length=40)),
                ('version', models.SlugField(max_length=60)),
                ('policy', models.TextField()),
                ('state', models.BinaryField()),
                ('state_hash', models.CharField(max_length=64)),
                ('mode', models.CharField(choices=[('strict', 'strict'), ('corrected', 'corrected')], default='strict', max_length=20)),
                ('content_hash', models.CharField(max_length=64)),
                ('origin', models.CharField(max_length=200)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('name', 'version'), name='environment_version_once')],
            },
        ),
        migrations.CreateModel(
            name='ModelEndpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(max_length=60, unique=True, validators=[writ_app.models.endpoint_rules.check_name])),
                ('model', models.CharField(max_length=200, validators=[writ_app.models.endpoint_rules.check_model])),
                ('base_url', models.CharField(blank=True, max_length=200, validators=[writ_app.models.endpoint_rules.check_base_url])),
                ('key_variable', models.CharField(blank=True, max_length=80, validators=[writ_app.models.endpoint_rules.check_key_variable])),
                ('parameters', models.JSONField(blank=True, default=dict, validators=[writ_app.models.endpoint_rules.check_parameters])),
                ('max_in_flight', models.PositiveIntegerField(default=64, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(2000)])),
                ('prompt_price', models.FloatField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(0)])),
                ('completion_price', models.FloatField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(0)])),
                ('enabled', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('team', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='endpoints', to='writ_app.team')),
            ],
        ),
        migrations.CreateModel(
            name='BulkAction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verdict', models.CharField(choices=[('APPROVE', 'approve'), ('REJECT', 'reject'), ('FIX', 'needs a fix'), ('DEFER', 'defer'), ('WITHDRAW', 'withdraw')], max_length=10)),
                ('filters', models.JSONField(default=dict)),
                ('note', models.TextField(blank=True, max_length=4000)),
                ('total', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('undone_at', models.DateTimeField(editable=False, null=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bulk_actions', to='writ_app.team')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ReferenceSet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('format', models.CharField(db_default='tau2_results', default='tau2_results', max_length=20)),
                ('domain', models.CharField(max_length=120)),
                ('agent', models.CharField(max_length=200)),
                ('user', models.CharField(max_length=200)),
                ('content_hash', models.CharField(max_length=64)),
                ('content', writ_app.models.fields.OrderedJSONField()),
                ('worlds', writ_app.models.fields.OrderedJSONField(db_default=[], default=list)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('environment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reference_sets', to='writ_app.environment')),
                ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reference_sets', to='writ_app.team')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('team', 'content_hash'), name='reference_set_once_per_team', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='Release',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(max_length=80)),
                ('number', models.PositiveIntegerField()),
                ('recipe', writ_app.models.fields.OrderedJSONField(db_default={}, default=dict)),
                ('licence', models.CharField(blank=True, db_default='', max_length=64)),
                ('description', models.TextField(blank=True, db_default='', max_length=4000)),
                ('manifest', writ_app.models.fields.OrderedJSONField(default=dict)),
                ('content_hash', models.CharField(blank=True, max_length=64)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('frozen_at', models.DateTimeField(editable=False, null=True)),
                ('stage', models.CharField(choices=[('NEW', 'to be chosen'), ('CHOOSING', 'being chosen'), ('READY', 'ready'), ('FREEZING', 'being frozen'), ('FAILED', 'stopped')], db_default='NEW', default='NEW', max_length=10)),
                ('revision', models.PositiveIntegerField(db_default=0, default=0)),
                ('whole', models.PositiveIntegerField(db_default=0, default=0)),
                ('dealt_with', models.PositiveIntegerField(db_default=0, default=0)),
                ('trouble', models.TextField(blank=True, db_default='')),
                ('touched_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='releases', to='writ_app.team')),
            ],
            options={
                'ordering': ['-created_at', '-id'],
                'constraints': [models.UniqueConstraint(fields=('team', 'name', 'number'), name='release_number_once'), models.CheckConstraint(condition=models.Q(models.Q(('content_hash', ''), ('frozen_at', None)), models.Q(('frozen_at__isnull', False), models.Q(('content_hash', ''), _negated=True)), _connector='OR'), name='release_hash_iff_frozen')],
            },
        ),
        migrations.CreateModel(
            name='ReviewerKeys',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('keys', models.JSONField(default=dict)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='review_keys', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='SavedView',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('filters', models.JSONField(default=dict)),
                ('shared', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_views', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_views', to='writ_app.team')),
            ],
            options={
                'ordering': ['name', 'id'],
                'constraints': [models.UniqueConstraint(fields=('team', 'owner', 'name'), name='saved_view_once')],
            },
        ),
        migrations.CreateModel(
            name='Task',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content_hash', models.CharField(max_length=64)),
                ('slug', models.CharField(max_length=200)),
                ('archetype', models.CharField(max_length=100)),
                ('title', models.CharField(max_length=1000)),
                ('task_class', models.CharField(choices=[('read_heavy', 'read heavy'), ('write_intensive', 'write intensive'), ('refusal', 'refusal'), ('transfer', 'transfer'), ('information', 'information')], max_length=20)),
                ('burden', models.PositiveSmallIntegerField()),
                ('writes', models.PositiveSmallIntegerField()),
                ('lift', models.SmallIntegerField(default=0)),
                ('existential', models.BooleanField(default=False)),
                ('dependent', models.BooleanField(default=False)),
                ('proved', models.BooleanField(default=False)),
                ('text', models.TextField()),
                ('content', writ_app.models.fields.OrderedJSONField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('environment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to='writ_app.environment')),
            ],
            options={
                'indexes': [models.Index(fields=['writes', 'burden'], name='task_by_cell')],
                'constraints': [models.UniqueConstraint(fields=('environment', 'content_hash'), name='task_once')],
            },
        ),
        migrations.CreateModel(
            name='ReviewPolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('second_share', models.FloatField(default=0.0, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)])),
                ('canary_share', models.FloatField(default=0.0, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(0.2)])),
                ('lease_seconds', models.PositiveIntegerField(default=90, validators=[django.core.validators.MinValueValidator(30), django.core.validators.MaxValueValidator(3600)])),
                ('ahead', models.PositiveSmallIntegerField(default=2, validators=[django.core.validators.MaxValueValidator(5)])),
                ('team', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='review_policy', to='writ_app.team')),
            ],
        ),
        migrations.CreateModel(
            name='Persona',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=40)),
                ('title', models.CharField(max_length=80)),
                ('text', models.TextField(max_length=1000)),
                ('dimensions', writ_app.models.fields.OrderedJSONField(default=dict)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('disabled_by', models.ManyToManyField(blank=True, related_name='+', to='writ_app.team')),
                ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='writ_app.team')),
            ],
            options={
                'ordering': [models.OrderBy(models.F('team'), nulls_first=True), 'id'],
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('team', 'slug'), name='persona_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('VIEWER', 'viewer'), ('REVIEWER', 'reviewer'), ('CURATOR', 'curator'), ('OWNER', 'owner')], default='REVIEWER', max_length=10)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to='writ_app.team')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('team', 'user'), name='membership_once_per_team')],
            },
        ),
        migrations.CreateModel(
            name='BehaviourPlan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=40)),
                ('title', models.CharField(max_length=80)),
                ('text', models.TextField(max_length=1000)),
                ('dimensions', writ_app.models.fields.OrderedJSONField(default=dict)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('disabled_by', models.ManyToManyField(blank=True, related_name='+', to='writ_app.team')),
                ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='writ_app.team')),
            ],
            options={
                'ordering': [models.OrderBy(models.F('team'), nulls_first=True), 'id'],
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('team', 'slug'), name='plan_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('door', models.CharField(max_length=10)),
                ('request_id', models.CharField(blank=True, max_length=64)),
                ('action', models.CharField(max_length=60)),
                ('kind', models.CharField(blank=True, max_length=40)),
                ('key', models.CharField(blank=True, max_length=80)),
                ('before', writ_app.models.fields.OrderedJSONField(null=True)),
                ('after', writ_app.models.fields.OrderedJSONField(null=True)),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='audit_entries', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='audit_entries', to='writ_app.team')),
            ],
            options={
                'verbose_name_plural': 'audit entries',
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='ReferenceTask',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('task_id', models.CharField(max_length=120)),
                ('position', models.PositiveIntegerField()),
                ('splits', models.JSONField(default=list)),
                ('content', writ_app.models.fields.OrderedJSONField()),
                ('environment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reference_tasks', to='writ_app.environment')),
            ],
            options={
                'ordering': ['environment_id', 'position'],
                'constraints': [models.UniqueConstraint(fields=('environment', 'task_id'), name='reference_task_once')],
            },
        ),
        migrations.CreateModel(
            name='Batch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('seed', models.BigIntegerField()),
                ('ordered', models.PositiveIntegerField()),
                ('mix', writ_app.models.fields.OrderedJSONField(default=dict)),
                ('grid', writ_app.models.fields.OrderedJSONField(null=True)),
                ('plans', models.JSONField(default=list)),
                ('repertoire', writ_app.models.fields.OrderedJSONField(default=dict)),
                ('plans_per_task', models.PositiveSmallIntegerField(default=1)),
                ('fault_share', models.FloatField(default=0.0)),
                ('played_by', models.JSONField(default=dict)),
                ('status', models.CharField(choices=[('DESIGNING', 'designing tasks'), ('RUNNING', 'simulating'), ('PAUSED', 'paused'), ('DONE', 'done'), ('CANCELLED', 'cancelled')], default='DESIGNING', max_length=10)),
                ('stopped_by', models.TextField(blank=True)),
                ('max_cost', models.DecimalField(blank=True, decimal_places=4, max_digits=12, null=True)),
                ('max_tokens', models.BigIntegerField(blank=True, null=True)),
                ('cost', models.DecimalField(decimal_places=9, default=0, editable=False, max_digits=18)),
                ('prompt_tokens', models.BigIntegerField(default=0, editable=False)),
                ('completion_tokens', models.BigIntegerField(default=0, editable=False)),
                ('turns', models.BigIntegerField(default=0, editable=False)),
                ('design_report', writ_app.models.fields.OrderedJSONField(default=dict)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('finished_at', models.DateTimeField(editable=False, null=True)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('environment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='batches', to='writ_app.environment')),
                ('agent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='writ_app.modelendpoint')),
                ('judge', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='writ_app.modelendpoint')),
                ('paraphraser', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='writ_app.modelendpoint')),
                ('user_simulator', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='writ_app.modelendpoint')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='batches', to='writ_app.team')),
            ],
            options={
                'ordering': ['-created_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='SamplingPlan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('filters', models.JSONField(default=dict)),
                ('lot', models.PositiveIntegerField()),
                ('size', models.PositiveIntegerField()),
                ('confidence', models.FloatField(default=0.95)),
                ('limit', models.FloatField()),
                ('seed', models.BigIntegerField()),
                ('status', models.CharField(choices=[('SAMPLING', 'being sampled'), ('PASSED', 'passed'), ('FAILED', 'stopped by a defect'), ('APPLIED', 'passed, rest approved'), ('UNDONE', 'undone')], default='SAMPLING', max_length=10)),
                ('statement', models.TextField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('finished_at', models.DateTimeField(editable=False, null=True)),
                ('bulk', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='plan', to='writ_app.bulkaction')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sampling_plans', to='writ_app.team')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='DefaultView',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='default_view', to=settings.AUTH_USER_MODEL)),
                ('view', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='writ_app.savedview')),
            ],
        ),
        migrations.CreateModel(
            name='Paraphrase',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('paraphraser', models.CharField(max_length=200)),
                ('reader', models.CharField(max_length=200)),
                ('prompt_version', models.CharField(max_length=20)),
                ('seed', models.BigIntegerField()),
                ('content', writ_app.models.fields.OrderedJSONField()),
                ('text', models.TextField(blank=True)),
                ('accepted', models.BooleanField()),
                ('reason', models.CharField(blank=True, max_length=20)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='paraphrases', to='writ_app.task')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('task', 'paraphraser', 'reader', 'prompt_version', 'seed'), name='paraphrase_tried_once'), models.CheckConstraint(condition=models.Q(models.Q(('accepted', True), ('reason', '')), models.Q(('accepted', False), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='paraphrase_rejected_iff_reason')],
            },
        ),
        migrations.CreateModel(
            name='ReferenceImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file_name', models.CharField(max_length=200)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('format', models.CharField(blank=True, max_length=40)),
                ('status', models.CharField(choices=[('WAITING', 'waiting'), ('RUNNING', 'running'), ('DONE', 'done'), ('FAILED', 'refused')], default='WAITING', max_length=10)),
                ('attempt', models.PositiveSmallIntegerField(default=0)),
                ('bytes', models.PositiveBigIntegerField(default=0)),
                ('done', models.PositiveBigIntegerField(default=0)),
                ('whole', models.PositiveBigIntegerField(default=0)),
                ('rows', models.PositiveIntegerField(default=0)),
                ('replaced', models.PositiveIntegerField(default=0)),
                ('trouble', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('touched_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reference_set', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='imports', to='writ_app.referenceset')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='writ_app.team')),
            ],
        ),
        migrations.CreateModel(
            name='EndpointHealth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('process', models.CharField(max_length=80)),
                ('in_flight', models.PositiveIntegerField(default=0)),
                ('limit', models.FloatField(default=0)),
                ('busy', models.PositiveIntegerField(default=0)),
                ('timeouts', models.PositiveIntegerField(default=0)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('last_error', models.TextField(blank=True)),
                ('last_error_at', models.DateTimeField(null=True)),
                ('seen_at', models.DateTimeField()),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='health', to='writ_app.modelendpoint')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('endpoint', 'process'), name='health_once_per_process')],
            },
        ),
        migrations.CreateModel(
            name='ReferenceTrajectory',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField()),
                ('simulation_id', models.CharField(max_length=120)),
                ('task_id', models.CharField(max_length=120)),
                ('trial', models.PositiveIntegerField(default=0)),
                ('ended_by', models.CharField(max_length=120)),
                ('reward', models.FloatField(null=True)),
                ('steps', models.PositiveIntegerField()),
                ('world', models.PositiveSmallIntegerField(null=True)),
                ('messages', writ_app.models.fields.OrderedJSONField()),
                ('content', writ_app.models.fields.OrderedJSONField()),
                ('reference_set', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='trajectories', to='writ_app.referenceset')),
            ],
            options={
                'ordering': ['reference_set_id', 'position'],
                'constraints': [models.UniqueConstraint(fields=('reference_set', 'position'), name='reference_trajectory_once')],
            },
        ),
        migrations.CreateModel(
            name='ReleaseFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('path', models.CharField(max_length=200)),
                ('slug', models.CharField(max_length=40)),
                ('split', models.CharField(blank=True, max_length=20)),
                ('rows', models.PositiveIntegerField()),
                ('bytes', models.PositiveBigIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('release', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='files', to='writ_app.release')),
            ],
            options={
                'ordering': ['release_id', 'path'],
                'constraints': [models.UniqueConstraint(fields=('release', 'path'), name='release_file_once')],
            },
        ),
        migrations.CreateModel(
            name='Simulation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('plan', models.CharField(max_length=40)),
                ('persona', models.CharField(blank=True, max_length=40)),
                ('behaviour', models.JSONField(default=dict)),
                ('ledger', writ_app.models.fields.OrderedJSONField(null=True)),
                ('seed', models.BigIntegerField()),
                ('fault', models.CharField(blank=True, max_length=40)),
                ('status', models.CharField(choices=[('PENDING', 'waiting'), ('RUNNING', 'running'), ('DONE', 'done'), ('CANCELLED', 'cancelled')], default='PENDING', max_length=10)),
                ('attempt', models.PositiveSmallIntegerField(default=0)),
                ('runner', models.CharField(blank=True, max_length=80)),
                ('lease_until', models.DateTimeField(editable=False, null=True)),
                ('setbacks', models.PositiveSmallIntegerField(default=0)),
                ('round', models.PositiveSmallIntegerField(default=0)),
                ('note', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('started_at', models.DateTimeField(editable=False, null=True)),
                ('finished_at', models.DateTimeField(editable=False, null=True)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='simulations', to='writ_app.batch')),
                ('retry_of', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='retried_by', to='writ_app.simulation')),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='simulations', to='writ_app.task')),
            ],
            options={
                'indexes': [models.Index(fields=['batch', 'status'], name='simulation_by_batch'), models.Index(condition=models.Q(('status', 'PENDING')), fields=['batch', 'id'], name='simulation_pending'), models.Index(condition=models.Q(('status', 'RUNNING')), fields=['lease_until'], name='simulation_leased')],
                'constraints': [models.UniqueConstraint(fields=('batch', 'task', 'plan', 'seed', 'round'), name='simulation_ordered_once')],
            },
        ),
        migrations.CreateModel(
            name='Reverification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.CharField(max_length=20)),
                ('total', models.PositiveIntegerField()),
                ('verified', models.PositiveIntegerField(default=0)),
                ('skipped', writ_app.models.fields.OrderedJSONField(default=dict)),
                ('position', models.BigIntegerField(default=0)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('touched_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('finished_at', models.DateTimeField(editable=False, null=True)),
                ('batch', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reverifications', to='writ_app.batch')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reverifications', to='writ_app.team')),
            ],
            options={
                'ordering': ['-id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('finished_at', None)), fields=('team', 'batch', 'version'), name='reverification_one_at_a_time', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='Report',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('BATCH', 'batch'), ('VIEW', 'list'), ('RELEASE', 'release'), ('REFERENCE', 'reference set')], max_length=10)),
                ('title', models.CharField(max_length=200)),
                ('filters', models.JSONField(default=dict)),
                ('status', models.CharField(choices=[('WAITING', 'waiting'), ('RUNNING', 'being made'), ('DONE', 'done'), ('FAILED', 'stopped')], default='WAITING', max_length=10)),
                ('attempt', models.PositiveSmallIntegerField(default=0)),
                ('total', models.PositiveIntegerField(default=0)),
                ('dealt_with', models.PositiveIntegerField(default=0)),
                ('trouble', models.TextField(blank=True)),
                ('content', writ_app.models.fields.OrderedJSONField(null=True)),
                ('content_hash', models.CharField(blank=True, max_length=64)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('touched_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('finished_at', models.DateTimeField(editable=False, null=True)),
                ('against', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='writ_app.referenceset')),
                ('batch', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='writ_app.batch')),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reference', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='writ_app.referenceset')),
                ('release', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='writ_app.release')),
                ('view', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='writ_app.savedview')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='writ_app.team')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(condition=models.Q(('status__in', ['WAITING', 'RUNNING'])), fields=['touched_at'], name='report_unfinished')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('content__isnull', False), ('status', 'DONE')), models.Q(models.Q(('status', 'DONE'), _negated=True), ('content__isnull', True)), _connector='OR'), name='report_content_iff_done'), models.CheckConstraint(condition=models.Q(models.Q(('batch__isnull', False), ('kind', 'BATCH')), models.Q(('kind', 'RELEASE'), ('release__isnull', False)), models.Q(('kind', 'REFERENCE'), ('reference__isnull', False)), ('kind', 'VIEW'), _connector='OR'), name='report_of_what_its_kind_says')],
            },
        ),
        migrations.CreateModel(
            name='ReferenceImportPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('content', models.BinaryField()),
                ('of', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='writ_app.referenceimport')),
            ],
            options={
                'ordering': ['of_id', 'number'],
                'constraints': [models.UniqueConstraint(fields=('of', 'number'), name='reference_import_part_once')],
            },
        ),
        migrations.CreateModel(
            name='Trajectory',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content', writ_app.models.fields.OrderedJSONField()),
                ('content_hash', models.CharField(max_length=64)),
                ('ended_by', models.CharField(max_length=30)),
                ('scripted', models.BooleanField()),
                ('steps', models.PositiveSmallIntegerField()),
                ('verification', writ_app.models.fields.OrderedJSONField()),
                ('version', models.CharField(db_default='', editable=False, max_length=20)),
                ('realised', models.JSONField(default=dict)),
                ('accepted', models.BooleanField()),
                ('reason', models.CharField(blank=True, max_length=40)),
                ('owner', models.CharField(blank=True, max_length=20)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('simulation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='trajectory', to='writ_app.simulation')),
            ],
            options={
                'verbose_name_plural': 'trajectories',
                'indexes': [models.Index(fields=['accepted', 'id'], name='trajectory_by_accepted')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('accepted', True), ('reason', '')), models.Q(('accepted', False), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='trajectory_rejected_iff_reason')],
            },
        ),
        migrations.CreateModel(
            name='Turn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('side', models.CharField(max_length=5)),
                ('fingerprint', models.CharField(max_length=32)),
                ('completion', writ_app.models.fields.OrderedJSONField(null=True)),
                ('drafts', writ_app.models.fields.OrderedJSONField(default=list)),
                ('raw', writ_app.models.fields.OrderedJSONField(null=True)),
                ('attempt', models.PositiveSmallIntegerField()),
                ('cost', models.DecimalField(decimal_places=9, default=0, max_digits=18)),
                ('prompt_tokens', models.PositiveIntegerField(default=0)),
                ('completion_tokens', models.PositiveIntegerField(default=0)),
                ('seconds', models.FloatField(default=0)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('simulation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='turns', to='writ_app.simulation')),
            ],
            options={
                'ordering': ['simulation', 'position'],
                'constraints': [models.UniqueConstraint(fields=('simulation', 'position'), include=('side', 'cost', 'prompt_tokens', 'completion_tokens', 'created_at'), name='turn_answered_once')],
            },
        ),
        migrations.CreateModel(
            name='ReviewItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField(default=1)),
                ('canary', models.CharField(blank=True, db_default='', max_length=40)),
                ('content', writ_app.models.fields.OrderedJSONField(null=True)),
                ('verification', writ_app.models.fields.OrderedJSONField(null=True)),
                ('judged_by', models.CharField(db_default='', editable=False, max_length=20)),
                ('edit_reason', models.TextField(blank=True, db_default='', max_length=2000)),
                ('changes', writ_app.models.fields.OrderedJSONField(null=True)),
                ('environment', models.CharField(max_length=60)),
                ('archetype', models.CharField(max_length=100)),
                ('task_class', models.CharField(max_length=20)),
                ('plan', models.CharField(max_length=40)),
                ('agent', models.CharField(max_length=200)),
                ('writes', models.PositiveSmallIntegerField()),
                ('burden', models.PositiveSmallIntegerField()),
                ('steps', models.PositiveSmallIntegerField()),
                ('ended_by', models.CharField(max_length=30)),
                ('scripted', models.BooleanField()),
                ('accepted', models.BooleanField()),
                ('ready', models.BooleanField()),
                ('reason', models.CharField(blank=True, max_length=40)),
                ('owner', models.CharField(blank=True, max_length=20)),
                ('failed', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list)),
                ('kinds', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), default=list)),
                ('skeleton', models.TextField(blank=True)),
                ('cluster', writ_app.models.fields.ComputedField(db_persist=True, expression=models.Func('environment', 'task_class', 'skeleton', 'kinds', 'failed', function='writ_cluster'), output_field=models.CharField(db_collation='C', max_length=32))),
                ('outline', models.JSONField(default=list)),
                ('uncertainty', models.FloatField(default=0.0)),
                ('words', models.TextField(blank=True)),
                ('search', django.contrib.postgres.search.SearchVectorField(null=True)),
                ('wanted', models.PositiveSmallIntegerField(default=1)),
                ('status', models.CharField(blank=True, choices=[('OPEN', 'to review'), ('APPROVED', 'approved'), ('REJECTED', 'rejected'), ('FIX', 'needs a fix'), ('DISPUTED', 'disputed')], max_length=10)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='review_items', to='writ_app.batch')),
                ('edited_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('parent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='writ_app.reviewitem')),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='review_items', to='writ_app.task')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='writ_app.team')),
                ('trajectory', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='writ_app.trajectory')),
            ],
            options={
                'indexes': [models.Index(fields=['team', '-id'], include=('environment', 'archetype', 'task_class', 'plan', 'agent', 'ended_by', 'batch', 'writes', 'burden', 'scripted', 'accepted', 'reason', 'status', 'canary', 'number', 'failed', 'kinds'), name='item_facets'), models.Index(fields=['team', 'status', '-id'], name='item_by_status'), models.Index(fields=['team', 'archetype', '-id'], name='item_by_archetype'), models.Index(fields=['team', 'writes', 'burden'], name='item_by_cell'), models.Index(condition=models.Q(('status', 'OPEN')), fields=['team', 'writes', 'burden', 'id'], name='item_open_by_cell'), models.Index(fields=['batch', '-id'], name='item_by_batch'), models.Index(fields=['task'], name='item_by_task'), models.Index(condition=models.Q(('accepted', False)), fields=['team', '-id'], name='item_rejected'), models.Index(condition=models.Q(('canary', ''), _negated=True), fields=['team'], name='item_canaries'), models.Index(condition=models.Q(('wanted__gt', 1)), fields=['team', '-id'], name='item_twice'), models.Index(fields=['team', '-uncertainty', '-id'], name='item_by_doubt'), models.Index(fields=['team', '-burden', '-id'], name='item_by_burden'), models.Index(django.db.models.functions.text.Left(django.db.models.functions.text.MD5('skeleton'), 12), name='item_by_shape'), models.Index(condition=models.Q(('parent__isnull', False)), fields=['team', 'judged_by', 'id'], name='item_made_judged_by'), django.contrib.postgres.indexes.GinIndex(models.Func(models.F('skeleton'), models.Value(' '), function='string_to_array', output_field=django.contrib.postgres.fields.ArrayField(base_field=models.TextField())), name='item_tools'), django.contrib.postgres.indexes.GinIndex(fields=['failed'], name='item_failed'), models.Index(condition=models.Q(('canary', '')), fields=['team', 'cluster', '-id'], include=('status', 'environment', 'batch', 'accepted', 'number', 'writes', 'burden', 'plan', 'archetype'), name='item_by_cluster'), django.contrib.postgres.indexes.GinIndex(fields=['kinds'], name='item_kinds'), django.contrib.postgres.indexes.GinIndex(fields=['search'], name='item_search')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('canary', '')), fields=('trajectory', 'number'), name='review_item_number_once'), models.CheckConstraint(condition=models.Q(models.Q(('canary', ''), ('content__isnull', True), ('number', 1), ('parent__isnull', True)), models.Q(('content__isnull', False), ('number__gt', 1), ('parent__isnull', False), ('verification__isnull', False)), _connector='OR'), name='review_item_own_content_iff_made_from_another')],
            },
        ),
        migrations.CreateModel(
            name='JudgeNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('judge', models.CharField(max_length=200)),
                ('prompt_version', models.CharField(max_length=20)),
                ('seed', models.BigIntegerField()),
                ('outcome', models.CharField(choices=[('ANSWERED', 'answered'), ('UNREADABLE', 'answer cannot be read'), ('UNAVAILABLE', 'model unavailable')], max_length=12)),
                ('content', writ_app.models.fields.OrderedJSONField(null=True)),
                ('raw', models.TextField(blank=True)),
                ('prompt_tokens', models.PositiveIntegerField(default=0)),
                ('completion_tokens', models.PositiveIntegerField(default=0)),
                ('cost', models.FloatField(default=0.0)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('trajectory', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='judge_notes', to='writ_app.trajectory')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(fields=('trajectory', 'judge', 'prompt_version', 'seed'), name='judge_note_once'), models.CheckConstraint(condition=models.Q(models.Q(('content__isnull', False), ('outcome', 'ANSWERED')), models.Q(models.Q(('outcome', 'ANSWERED'), _negated=True), ('content__isnull', True)), _connector='OR'), name='judge_note_content_iff_answered')],
            },
        ),
        migrations.CreateModel(
            name='Judgement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.CharField(max_length=20)),
                ('content', writ_app.models.fields.OrderedJSONField()),
                ('accepted', models.BooleanField()),
                ('reason', models.CharField(blank=True, max_length=40)),
                ('owner', models.CharField(blank=True, max_length=20)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('trajectory', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='judgements', to='writ_app.trajectory')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('trajectory', 'version'), name='judgement_once_per_version')],
            },
        ),
        migrations.CreateModel(
            name='EarlierJudgement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content', writ_app.models.fields.OrderedJSONField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='earlier_judgements', to='writ_app.reviewitem')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Comment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('body', models.TextField(max_length=4000)),
                ('message', models.PositiveIntegerField(null=True)),
                ('pointer', models.CharField(blank=True, max_length=400)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('withdrawn_at', models.DateTimeField(editable=False, null=True)),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comments', to=settings.AUTH_USER_MODEL)),
                ('parent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replies', to='writ_app.comment')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comments', to='writ_app.reviewitem')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='ReviewSlot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField(default=1)),
                ('ready', models.BooleanField(default=True)),
                ('uncertainty', models.FloatField(default=0.0)),
                ('status', models.CharField(choices=[('OPEN', 'to review'), ('APPROVED', 'approved'), ('REJECTED', 'rejected'), ('FIX', 'needs a fix')], default='OPEN', max_length=10)),
                ('leased_until', models.DateTimeField(null=True)),
                ('token', models.PositiveIntegerField(default=0)),
                ('shown_at', models.DateTimeField(null=True)),
                ('deferred_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='slots', to='writ_app.reviewitem')),
                ('leased_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='writ_app.team')),
            ],
            options={
                'indexes': [models.Index(models.F('team'), models.OrderBy(models.F('deferred_at'), nulls_first=True), models.F('id'), condition=models.Q(('ready', True), ('status', 'OPEN')), name='slot_open'), models.Index(models.F('team'), models.OrderBy(models.F('uncertainty'), descending=True), models.F('id'), condition=models.Q(('ready', True), ('status', 'OPEN')), name='slot_open_uncertain'), models.Index(condition=models.Q(('leased_by__isnull', False), ('status', 'OPEN')), fields=['leased_by', 'leased_until'], name='slot_leased')],
                'constraints': [models.UniqueConstraint(fields=('item', 'number'), name='slot_number_once')],
            },
        ),
        migrations.CreateModel(
            name='PlannedItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sampled', models.BooleanField(default=False)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='plans', to='writ_app.reviewitem')),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='writ_app.samplingplan')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('plan', 'item'), name='planned_once')],
            },
        ),
        migrations.CreateModel(
            name='ReleaseRefusal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=40)),
                ('detail', models.TextField(blank=True, db_default='')),
                ('release', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='refusals', to='writ_app.release')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='writ_app.reviewitem')),
            ],
            options={
                'indexes': [models.Index(fields=['release', 'reason', 'item'], name='release_refusal_by_reason')],
                'constraints': [models.UniqueConstraint(fields=('release', 'item'), name='release_refusal_once')],
            },
        ),
        migrations.CreateModel(
            name='ReleaseMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField()),
                ('split', models.CharField(blank=True, db_default='', max_length=20)),
                ('row_hash', models.CharField(blank=True, db_default='', max_length=64)),
                ('tokens', models.PositiveIntegerField(null=True)),
                ('release', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='members', to='writ_app.release')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to='writ_app.reviewitem')),
            ],
            options={
                'ordering': ['release_id', 'position'],
                'constraints': [models.UniqueConstraint(fields=('release', 'item'), name='release_member_once'), models.UniqueConstraint(fields=('release', 'position'), name='release_position_once')],
            },
        ),
        migrations.CreateModel(
            name='EditDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('changes', writ_app.models.fields.OrderedJSONField(default=list)),
                ('reason', models.TextField(blank=True, db_default='', max_length=2000)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='edit_drafts', to=settings.AUTH_USER_MODEL)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='drafts', to='writ_app.reviewitem')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('item', 'user'), name='edit_draft_once')],
            },
        ),
        migrations.CreateModel(
            name='ArgumentSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('side', models.CharField(max_length=6)),
                ('write', models.PositiveSmallIntegerField()),
                ('pointer', models.CharField(max_length=400)),
                ('kind', models.CharField(max_length=20)),
                ('message', models.PositiveIntegerField(null=True)),
                ('source_pointer', models.CharField(blank=True, max_length=400)),
                ('value', models.CharField(blank=True, max_length=200)),
                ('detail', models.CharField(blank=True, max_length=400)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sources', to='writ_app.reviewitem')),
            ],
            options={
                'indexes': [models.Index(fields=['kind', 'item'], name='argument_source_by_kind')],
            },
        ),
        migrations.CreateModel(
            name='ReviewEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verdict', models.CharField(choices=[('APPROVE', 'approve'), ('REJECT', 'reject'), ('FIX', 'needs a fix'), ('DEFER', 'defer'), ('WITHDRAW', 'withdraw')], max_length=10)),
                ('reason', models.CharField(blank=True, choices=[('wrong_write', 'wrong write'), ('ungrounded', 'argument not grounded'), ('missing_read', 'needed read missing'), ('policy', 'against the policy'), ('no_confirmation', 'no clear confirmation'), ('unclear_request', 'request unclear or has two answers'), ('unnatural_user', 'user is not believable'), ('unnatural_agent', "agent's words are poor"), ('other', 'other (say which)')], max_length=20)),
                ('note', models.TextField(blank=True, max_length=4000)),
                ('focus', models.CharField(blank=True, max_length=200)),
                ('message', models.PositiveIntegerField(null=True)),
                ('pointer', models.CharField(blank=True, db_default='', max_length=400)),
                ('write', models.PositiveSmallIntegerField(null=True)),
                ('seconds', models.PositiveIntegerField(null=True)),
                ('submission', models.UUIDField(null=True, unique=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('bulk', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='writ_app.bulkaction')),
                ('reviewer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='review_events', to=settings.AUTH_USER_MODEL)),
                ('withdraws', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='withdrawn_by', to='writ_app.reviewevent')),
                ('slot', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='writ_app.reviewslot')),
            ],
            options={
                'ordering': ['id'],
                'indexes': [models.Index(fields=['reviewer', '-id'], name='review_event_latest')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('verdict', 'WITHDRAW'), ('withdraws__isnull', False)), models.Q(models.Q(('verdict', 'WITHDRAW'), _negated=True), ('withdraws__isnull', True)), _connector='OR'), name='review_event_withdraws_iff_withdrawal'), models.CheckConstraint(condition=models.Q(models.Q(('verdict', 'REJECT'), models.Q(('reason', ''), _negated=True)), models.Q(models.Q(('verdict', 'REJECT'), _negated=True), ('reason', '')), _connector='OR'), name='review_event_reason_iff_rejection')],
            },
        ),
        migrations.CreateModel(
            name='Mention',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seen_at', models.DateTimeField(editable=False, null=True)),
                ('comment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='mentions', to='writ_app.comment')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='mentions', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('seen_at', None)), fields=['user'], name='mention_unseen')],
                'constraints': [models.UniqueConstraint(fields=('comment', 'user'), name='mentioned_once_per_comment')],
            },
        ),
        migrations.CreateModel(
            name='FindRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('filters', models.JSONField(default=dict)),
                ('hits', models.PositiveIntegerField(default=0)),
                ('requeued', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('applied_at', models.DateTimeField(editable=False, null=True)),
                ('bulk', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='rule', to='writ_app.bulkaction')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('event', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='rules', to='writ_app.reviewevent')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='find_rules', to='writ_app.team')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='VersionEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('act', models.CharField(choices=[('SAVED', 'saved'), ('WITHDRAWN', 'withdrawn')], max_length=10)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='version_events', to='writ_app.reviewitem')),
                ('verdict', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='writ_app.reviewevent')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(fields=('item', 'act'), name='version_act_once'), models.CheckConstraint(condition=models.Q(('act', 'SAVED'), ('verdict', None), _connector='OR'), name='version_verdict_only_when_saved')],
            },
        ),
        migrations.RunSQL(TRIGGERS, migrations.RunSQL.noop),
    ]
