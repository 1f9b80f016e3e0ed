-- Distinct accounts other than the author that acted within (t0, t0 + horizon], known by then, each counting what its
-- first such action weighs; none is 0. One that was taken back, and known to be by then, is none. A post heard of only
-- after that, with no such action of any kind, was in no log.
CREATE OR REPLACE TABLE driven_in_logs AS
    SELECT post, kind, ripe_at, coalesce(sum(weight), 0) AS n, count(actor) AS acted
    FROM (
        SELECT p.post, l.kind, p.happened_at + getvariable('horizon') AS ripe_at, a.actor,
            arg_min(a.weight, a.clock) AS weight
        FROM posts p
        JOIN logged l USING (network)
        LEFT JOIN (
            FROM every_action JOIN weights USING (action)
            LEFT JOIN (SELECT removed AS action, known_at AS undone FROM removals) USING (action)
        ) a
            ON a.post = p.post AND a.kind = l.kind AND a.actor <> p.account
            AND a.happened_at > p.happened_at AND a.clock <= p.happened_at + getvariable('horizon')
            AND coalesce(a.undone > p.happened_at + getvariable('horizon'), true)
        WHERE p.kind <> 'reshare'
        GROUP BY ALL
    )
    GROUP BY ALL;

-- Counts of posts as old as the horizon. A retrospective one is taken as known when the post had just that age.
CREATE OR REPLACE TABLE ripe_counts AS
    SELECT p.post, c.kind, c.count AS n, c.happened_at AS read_at,
        CASE WHEN c.retrospective THEN p.happened_at + getvariable('horizon') ELSE c.known_at END AS ripe_at
    FROM posts p
    JOIN counts c USING (post)
    JOIN counted k ON k.network = p.network AND k.kind = c.kind
    WHERE p.kind <> 'reshare' AND c.happened_at >= p.happened_at + getvariable('horizon');
-- A post with counted kinds ripens with the first of its counts to be known; kinds that are known only later stay
-- missing, and without any count there is no outcome.
CREATE OR REPLACE TABLE readings AS
    SELECT post, min(ripe_at) AS ripe_at FROM ripe_counts JOIN action_values USING (kind) WHERE value > 0 GROUP BY post;
CREATE OR REPLACE TABLE driven AS
    SELECT post, kind, n, ripe_at FROM driven_in_logs
    UNION ALL
    SELECT c.post, c.kind, arg_min(c.n, c.read_at), c.ripe_at
    FROM ripe_counts c JOIN readings USING (post, ripe_at)
    GROUP BY c.post, c.kind, c.ripe_at;

-- The weighted sum of what was driven, from when both it and its post were known; unless the data end before.
CREATE OR REPLACE TABLE outcomes AS
    SELECT p.post, p.account, p.network, p.kind,
        greatest(max(d.ripe_at), p.clock) AS clock,
        sum(v.value * d.n) AS outcome,
        any_value(d.n) FILTER (d.kind = 'like') AS "like",
        any_value(d.n) FILTER (d.kind = 'reshare') AS reshare,
        any_value(d.n) FILTER (d.kind = 'reply') AS reply,
        any_value(d.n) FILTER (d.kind = 'quote') AS quote
    FROM (
        FROM known_posts
        WHERE known_at <= happened_at + getvariable('horizon') OR network NOT IN (SELECT network FROM logged)
            OR post IN (SELECT post FROM driven_in_logs GROUP BY post HAVING sum(acted) > 0)
    ) p JOIN driven d USING (post) JOIN action_values v ON v.kind = d.kind AND v.value > 0
    WHERE p.post IN (SELECT post FROM readings)
        OR p.network NOT IN (SELECT network FROM counted JOIN action_values USING (kind) WHERE value > 0)
    GROUP BY p.post, p.account, p.network, p.kind, p.clock
    HAVING max(d.ripe_at) <= (SELECT through FROM through t WHERE t.network = p.network);
