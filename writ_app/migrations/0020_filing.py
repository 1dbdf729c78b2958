"""Trajectories are filed a statement at a time, their messages walked once; what lists found slowly among many.

What is stored is what was stored before, with one exception: the arguments of one call stand in `words` in their order in the
message; before, in whatever order the sort left them.
"""

from importlib import import_module

from django.db import migrations, models

before = import_module("writ_app.migrations.0014_review_items")

WALK = r"""
-- What is shown of a conversation and what it is searched by: see ReviewItem.outline, skeleton and words.
CREATE FUNCTION writ_told(messages jsonb, OUT outline jsonb, OUT skeleton text, OUT words text)
RETURNS SETOF record LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
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
$$;

CREATE FUNCTION writ_judged(checks jsonb, provenance jsonb, OUT failed text[], OUT kinds text[], OUT uncertainty float)
RETURNS SETOF record LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT ARRAY(
           SELECT value->>'name' FROM jsonb_array_elements(checks) WITH ORDINALITY AS one (value, number)
           WHERE NOT (value->>'passed')::boolean ORDER BY number),
         coalesce(array_agg(DISTINCT kind ORDER BY kind), '{}'),
         coalesce(avg((kind NOT IN ('exact', 'said', 'policy'))::int), 0)
  FROM (
    SELECT value->>'kind' AS kind FROM jsonb_array_elements(coalesce(provenance, '[]')) AS one (value)
    WHERE coalesce(value->>'side', 'actual') = 'actual'
  ) AS arguments
$$;

-- What an item takes from where its trajectory comes from. One row, looked up by keys: a plan that is kept has to suit one
-- trajectory as well as thousands.
CREATE FUNCTION writ_made(
  simulation_id bigint, OUT team_id bigint, OUT batch_id bigint, OUT task_id bigint, OUT environment text, OUT archetype text,
  OUT task_class text, OUT writes smallint, OUT burden smallint, OUT plan text, OUT second_share float
) RETURNS SETOF record LANGUAGE sql STABLE AS $$
  SELECT batch.team_id, batch.id, task.id, environment.name, task.archetype, task.task_class, task.writes, task.burden,
         simulation.plan, coalesce(policy.second_share, 0)
  FROM writ_app_simulation AS simulation
  JOIN writ_app_batch AS batch ON batch.id = simulation.batch_id
  JOIN writ_app_task AS task ON task.id = simulation.task_id
  JOIN writ_app_environment AS environment ON environment.id = task.environment_id
  LEFT JOIN writ_app_reviewpolicy AS policy ON policy.team_id = batch.team_id
  WHERE simulation.id = writ_made.simulation_id
  LIMIT 1
$$;

CREATE FUNCTION writ_wanted(item bigint, team bigint, second_share float) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN (hashint8extended(item, team) & 1048575) < second_share * 1048576 THEN 2 ELSE 1 END
$$;

CREATE FUNCTION writ_sources(
  provenance jsonb, OUT side text, OUT write int, OUT pointer text, OUT kind text, OUT message int, OUT source_pointer text,
  OUT value text, OUT detail text
) RETURNS SETOF record LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(one->>'side', 'actual'), (one->>'write')::int, left(one->>'pointer', 400), one->>'kind', (one->>'source')::int,
         left(coalesce(one->>'source_pointer', ''), 400), left(coalesce(one->>'value', ''), 200),
         left(coalesce(one->>'detail', ''), 400)
  FROM jsonb_array_elements(coalesce(provenance, '[]')) AS one
$$;
"""

# The planner takes a function that returns rows for a hundred rows or more. Filing looks so dear to it that a server with a JIT
# compiler would compile for longer than the work takes, and that it remembers answers which are never asked for twice.
FILE = r"""
CREATE FUNCTION writ_trajectories_are_filed() RETURNS trigger LANGUAGE plpgsql SET jit = off SET enable_memoize = off AS $$
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
END $$;

CREATE TRIGGER trajectories_are_filed AFTER INSERT ON writ_app_trajectory REFERENCING NEW TABLE AS filed
FOR EACH STATEMENT EXECUTE FUNCTION writ_trajectories_are_filed();

CREATE OR REPLACE TRIGGER trajectory_files_judgement AFTER UPDATE OF verification ON writ_app_trajectory
FOR EACH ROW EXECUTE FUNCTION writ_file_judgement();

CREATE OR REPLACE FUNCTION writ_trajectory_is_filed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE writ_app_reviewitem SET accepted = NEW.accepted WHERE id = NEW.id;
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER trajectory_is_filed_for_review AFTER UPDATE OF verification, accepted ON writ_app_trajectory
FOR EACH ROW EXECUTE FUNCTION writ_trajectory_is_filed();
"""

# Edits, canaries, and items that are judged anew. Only `writ_trajectories_are_filed` inserts an item inside a trigger, complete.
ITEMS = r"""
CREATE OR REPLACE FUNCTION writ_item_is_found_by() RETURNS trigger LANGUAGE plpgsql SET jit = off SET enable_memoize = off AS $$
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
END $$;

CREATE OR REPLACE FUNCTION writ_item_has_sources() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    DELETE FROM writ_app_argumentsource WHERE item_id = NEW.id;
  END IF;
  INSERT INTO writ_app_argumentsource (item_id, side, write, pointer, kind, message, source_pointer, value, detail)
  SELECT NEW.id, source.* FROM writ_sources(writ_readable(coalesce(NEW.verification,
    (SELECT verification FROM writ_app_trajectory WHERE id = NEW.trajectory_id)))->'provenance') AS source;
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER review_item_is_found_by BEFORE INSERT ON writ_app_reviewitem
FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION writ_item_is_found_by();
CREATE TRIGGER review_item_is_found_anew BEFORE UPDATE OF accepted, content, verification ON writ_app_reviewitem
FOR EACH ROW EXECUTE FUNCTION writ_item_is_found_by();

CREATE OR REPLACE TRIGGER review_item_has_sources AFTER INSERT ON writ_app_reviewitem
FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION writ_item_has_sources();
CREATE TRIGGER review_item_has_sources_anew AFTER UPDATE OF accepted, content, verification ON writ_app_reviewitem
FOR EACH ROW EXECUTE FUNCTION writ_item_has_sources();

CREATE OR REPLACE TRIGGER review_item_has_slots AFTER INSERT ON writ_app_reviewitem
FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION writ_item_has_slots();
CREATE TRIGGER review_item_has_slots_anew AFTER UPDATE OF accepted, content, verification, wanted ON writ_app_reviewitem
FOR EACH ROW EXECUTE FUNCTION writ_item_has_slots();

DROP FUNCTION writ_words(jsonb);
DROP FUNCTION writ_outline(jsonb);
"""

# Looking at many rows is quicker with what is searched in the row itself, and the text, which is only shown, out of it.
KEEP = "ALTER TABLE writ_app_reviewitem ALTER search SET STORAGE MAIN"
MOVE = "ALTER TABLE writ_app_reviewitem ALTER search SET STORAGE EXTENDED"

UNDO = (
    r"""
DROP TRIGGER review_item_has_slots_anew ON writ_app_reviewitem;
DROP TRIGGER review_item_has_sources_anew ON writ_app_reviewitem;
DROP TRIGGER review_item_is_found_anew ON writ_app_reviewitem;
DROP TRIGGER review_item_has_sources ON writ_app_reviewitem;
DROP TRIGGER review_item_is_found_by ON writ_app_reviewitem;
DROP TRIGGER trajectories_are_filed ON writ_app_trajectory;
DROP FUNCTION writ_item_has_sources();
DROP FUNCTION writ_item_is_found_by();
DROP FUNCTION writ_trajectories_are_filed();
DROP FUNCTION writ_sources(jsonb);
DROP FUNCTION writ_wanted(bigint, bigint, float);
DROP FUNCTION writ_made(bigint);
DROP FUNCTION writ_judged(jsonb, jsonb);
DROP FUNCTION writ_told(jsonb);
DROP FUNCTION writ_readable(json);

CREATE OR REPLACE TRIGGER review_item_has_slots AFTER INSERT OR UPDATE OF accepted, content, verification, wanted
ON writ_app_reviewitem FOR EACH ROW EXECUTE FUNCTION writ_item_has_slots();

CREATE OR REPLACE FUNCTION writ_trajectory_is_filed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO writ_app_reviewitem (id, trajectory_id, number, wanted, status) VALUES (NEW.id, NEW.id, 1, 1, '');
  ELSE
    UPDATE writ_app_reviewitem SET accepted = NEW.accepted WHERE id = NEW.id;
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER trajectory_is_filed_for_review AFTER INSERT OR UPDATE OF verification, accepted ON writ_app_trajectory
FOR EACH ROW EXECUTE FUNCTION writ_trajectory_is_filed();

CREATE OR REPLACE TRIGGER trajectory_files_judgement AFTER INSERT OR UPDATE OF verification ON writ_app_trajectory
FOR EACH ROW EXECUTE FUNCTION writ_file_judgement();
"""
    + before.FACETS
)


class Migration(migrations.Migration):
    dependencies = [("writ_app", "0019_clusters")]

    operations = [
        migrations.RunSQL(WALK + FILE + ITEMS, UNDO),
        migrations.RunSQL(KEEP, MOVE),
        migrations.AddIndex(
            "reviewitem",
            models.Index(
                fields=["team", "-id"],
                condition=models.Q(accepted=False),
                name="item_rejected",
            ),
        ),
    ]
