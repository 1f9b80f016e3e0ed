-- Who listens and who reacts: the newest profile, and the actions others took on the account.
WITH received AS (
    SELECT a.*,
        1.0 / (1 + (
            SELECT count(*) FROM known_actions b
            WHERE b.actor = a.actor AND b.clock < a.clock AND b.clock > a.clock - INTERVAL 30 DAY
        )) AS selectivity,
        (
            SELECT avg(ln(1 + o.outcome)) FROM outcomes o
            WHERE o.account = a.actor AND o.clock < a.clock AND o.clock > a.clock - INTERVAL 90 DAY
        ) AS influence,
        EXISTS (
            SELECT 1 FROM known_actions b
            WHERE b.actor = a.account AND b.account = a.actor AND b.clock < a.clock AND b.clock > a.clock - INTERVAL 30 DAY
        ) AS mutual,
        EXISTS (
            SELECT 1 FROM known_actions b
            WHERE b.actor = a.actor AND b.account = a.account AND b.clock < a.clock AND b.clock > a.clock - INTERVAL 30 DAY
        ) AS returning_,
        coalesce(
            a.happened_at > p.happened_at AND a.happened_at <= p.happened_at + INTERVAL 1 HOUR AND p.clock <= a.clock, false
        ) AS quick
    FROM weighed_actions a LEFT JOIN known_posts p ON p.post = a.post
),
reactions AS (
    SELECT
        q.post,
        coalesce(sum(weight) FILTER (r.clock > q.t - INTERVAL 7 DAY), 0) AS actions_sum_7d,
        coalesce(sum(weight) FILTER (r.clock > q.t - INTERVAL 1 DAY), 0) AS actions_sum_1d,
        sum(weight * selectivity) / nullif(sum(weight), 0) AS engagers_selectivity_mean_30d,
        sum(weight * influence) / nullif(sum(weight) FILTER (influence IS NOT NULL), 0) AS engagers_influence_mean_30d,
        sum(weight * mutual::INT) / nullif(sum(weight), 0) AS engagers_mutual_share_30d,
        sum(weight * returning_::INT) / nullif(sum(weight), 0) AS engagers_returning_share_30d,
        sum(weight * quick::INT) / nullif(sum(weight), 0) AS actions_quick_share_30d
    FROM judged q LEFT JOIN received r ON r.account = q.account AND r.clock < q.t AND r.clock > q.t - INTERVAL 30 DAY
    GROUP BY q.post
),
engaged AS (
    SELECT post, coalesce(sum(weight), 0) AS engagers_sum_30d
    FROM (
        -- An engager counts its newest action.
        SELECT q.post, r.actor, arg_max(r.weight, r.clock) AS weight
        FROM judged q
        LEFT JOIN received r ON r.account = q.account AND r.clock < q.t AND r.clock > q.t - INTERVAL 30 DAY
        GROUP BY q.post, r.actor
    )
    GROUP BY post
),
shown AS (
    SELECT q.post, s.*EXCLUDE (account)
    FROM judged q JOIN known_profiles s ON s.account = q.account AND s.clock < q.t
    QUALIFY row_number() OVER (PARTITION BY q.post ORDER BY s.clock DESC, s.happened_at DESC) = 1
)
SELECT
    q.post,
    CASE WHEN unproven THEN s.followers END AS followers_last,
    s.following AS following_last,
    CASE WHEN unproven THEN s.listed END AS listed_last,
    CASE WHEN unproven THEN s.followers::DOUBLE / nullif(s.followers + s.following, 0) END AS followers_following_share,
    CASE WHEN unproven THEN s.verified::INT END AS verified_flag,
    CASE WHEN logs THEN actions_sum_7d END AS actions_sum_7d,
    CASE WHEN logs THEN actions_sum_1d END AS actions_sum_1d,
    CASE WHEN logs THEN engagers_sum_30d END AS engagers_sum_30d,
    r.*EXCLUDE (post, actions_sum_7d, actions_sum_1d)
FROM (
    SELECT *, network IN (SELECT network FROM logged) AS logs,
        -- Followers can be bought: they are asked only of who has fewer than ten posts with a known outcome.
        (SELECT count(*) FROM outcomes o WHERE o.account = judged.account AND o.clock < judged.t) < 10 AS unproven
    FROM judged
) q
JOIN reactions r USING (post)
JOIN engaged USING (post)
LEFT JOIN shown s USING (post)
