-- Signs of engagement that was arranged, each action counting one, and followings given up again.
WITH received AS (
    SELECT a.*,
        e.others = 0 AS stranger,
        e.acted,
        coalesce(a.clock - INTERVAL 10 MINUTE > p.clock AND a.clock - INTERVAL 30 DAY < p.clock, false) AS old,
        (
            SELECT count(*) FROM known_actions b
            WHERE b.post = a.post AND b.clock < a.clock AND b.clock > a.clock - INTERVAL 10 MINUTE
        ) AS lately,
        (SELECT count(*) FROM known_actions b WHERE b.post = a.post AND b.clock < a.clock) AS ever,
        EXISTS (
            SELECT 1 FROM known_actions b
            WHERE b.actor = a.account AND b.account = a.actor AND b.clock < a.clock AND b.clock > a.clock - INTERVAL 30 DAY
        ) AS mutual
    FROM known_actions a JOIN engager e USING (action) LEFT JOIN known_posts p ON p.post = a.post
),
marked AS (
    SELECT a.*,
        old AND lately >= 5 AND lately > ever - lately AS burst,
        mutual AND (
            SELECT count(*) FROM received b
            WHERE b.actor = a.actor AND b.mutual AND b.clock < a.clock AND b.clock > a.clock - INTERVAL 30 DAY
        ) > acted / 2.0 AS pod
    FROM received a
),
steps AS (
    SELECT account, clock,
        following - lag(following) OVER (PARTITION BY account ORDER BY clock, happened_at) AS change
    FROM known_profiles WHERE following IS NOT NULL
),
followed AS (
    SELECT q.post,
        sum(greatest(change, 0)) AS rise,
        sum(greatest(-change, 0)) AS fall
    FROM judged q LEFT JOIN steps s ON s.account = q.account AND s.clock < q.t AND s.clock > q.t - INTERVAL 30 DAY
    GROUP BY q.post
)
SELECT
    q.post,
    avg(burst::INT) AS actions_burst_share_30d,
    avg(stranger::INT) AS actions_stranger_share_30d,
    avg(pod::INT) AS actions_pod_share_30d,
    any_value(least(rise, fall) / nullif(rise, 0)) AS following_churn_share_30d
FROM judged q
LEFT JOIN marked r ON r.account = q.account AND r.clock < q.t AND r.clock > q.t - INTERVAL 30 DAY
LEFT JOIN followed f ON f.post = q.post
GROUP BY q.post
