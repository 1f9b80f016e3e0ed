-- What each action counts: s · e · (1 + g) / 2, as a multiple of the usual one on its network, at most 3. The usual one is
-- the mean over 30 days, each action counting its s · e, and a hundred more of 1/2.
CREATE OR REPLACE TABLE weights AS
WITH said AS (
    SELECT y.*, y.s * y.e AS se, y.s * y.e * (0.5 + 0.5 * coalesce(x / (1 + x), 0)) AS part
    FROM (
        SELECT y.*, (
            SELECT avg(ln(1 + o.outcome)) FROM outcomes o
            WHERE o.account = y.actor AND o.clock < y.clock AND o.clock > y.clock - INTERVAL 90 DAY
        ) AS x
        FROM sayings y
    ) y
)
SELECT a.action,
    least(3, a.part / (
        (50 + coalesce(sum(b.se * b.part), 0)) / (100 + coalesce(sum(b.se), 0))
    )) AS weight
FROM said a LEFT JOIN said b
    ON b.network = a.network AND b.actor <> b.account AND b.kind NOT IN ('view', 'follow')
    AND b.hour < a.hour AND b.hour >= a.hour - INTERVAL 30 DAY
GROUP BY a.action, a.part;
CREATE OR REPLACE TABLE weighed_actions AS SELECT * FROM known_actions JOIN weights USING (action);
