-- Events in the shape of city objects, so that each reader of layers reads them; nothing is copied. An event is valid
-- from its beginning on until it is closed: what is over and waits for someone to close it is still on the desk.

CREATE VIEW published_event AS
SELECT e.id, e.id AS object_id, (SELECT d.id FROM dataset d WHERE d.name = 'sensing-events') AS dataset_id,
       e.id::text AS uid, ''::bytea AS content_hash, '{}'::jsonb AS attributes, 'Event'::text AS class,
       e.title AS name, NULL::text AS name_en, NULL::smallint AS cim_level, NULL::text AS village_code,
       e.kind, e.severity, e.state, e.text, r.name AS rule, e.datastream_id AS datastream, e.times,
       to_char(e.began_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS began_at,
       to_char(e.ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS ended_at,
       to_char(e.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS updated_at,
       e.raised_by, e.department, e.person,
       to_char(e.due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS due_at,
       e.state NOT IN ('resolved', 'closed') AND coalesce(e.due_at < now(), false) AS overdue,
       e.merged_into, p.geom, web_mercator(p.geom) AS geom_web,
       e.began_at AS valid_from,
       CASE WHEN e.state = 'closed' THEN coalesce(e.ended_at, e.updated_at) END AS valid_to,
       '1970-01-01 00:00+00'::timestamptz AS recorded_from, 'infinity'::timestamptz AS recorded_to,
       NULL::int AS plan_id, NULL::text AS plan_action
FROM sensing.event e
LEFT JOIN sensing.rule r ON r.id = e.rule_id
CROSS JOIN LATERAL (SELECT st_transform(e.geom, {srid}) AS geom) p
WHERE e.geom IS NOT NULL;
COMMENT ON VIEW published_event IS 'Events that have a place, as the layer `events` reads them';

-- As the view writes them, so that boxes and tiles are looked for in these.
CREATE INDEX event_geom_city ON sensing.event USING gist (st_transform(geom, {srid}));
CREATE INDEX event_geom_web ON sensing.event USING gist (web_mercator(st_transform(geom, {srid})));
