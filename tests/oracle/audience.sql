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
    FROM known_actions a LEFT JOIN known_posts p ON p.post = a.post
),
reactions AS (
    SELECT
        q.post,
        count(r.clock) FILTER (r.clock > q.t - INTERVAL 7 DAY) AS actions_count_7d,
        count(r.clock) FILTER (r.clock > q.t - INTERVAL 1 DAY) AS actions_count_1d,
        count(DISTINCT r.actor) FILTER (r.clock > q.t - INTERVAL 30 DAY) AS engagers_count_30d,
        avg(selectivity) FILTER (r.clock > q.t - INTERVAL 30 DAY) AS engagers_selectivity_mean_30d,
        avg(influence) FILTER (r.clock > q.t - INTERVAL 30 DAY) AS engagers_influence_mean_30d,
        avg(mutual::INT) FILTER (r.clock > q.t - INTERVAL 30 DAY) AS engagers_mutual_share_30d,
        avg(returning_::INT) FILTER (r.clock > q.t - INTERVAL 30 DAY) AS engagers_returning_share_30d,
        avg(quick::INT) FILTER (r.clock > q.t - INTERVAL 30 DAY) AS actions_quick_share_30d
    FROM judged q LEFT JOIN received r ON r.account = q.account AND r.clock < q.t
    GROUP BY q.post
),
shown AS (
    SELECT q.post, s.*EXCLUDE (account)
    FROM judged q JOIN known_profiles s ON s.account = q.account AND s.clock < q.t
    QUALIFY row_number() OVER (PARTITION BY q.post ORDER BY s.clock DESC, s.happened_at DESC) = 1
)
SELECT
    q.post,
    s.followers AS followers_last,
    s.following AS following_last,
    s.listed AS listed_last,
    s.followers::DOUBLE / nullif(s.followers + s.following, 0) AS followers_following_share,
    s.verified::INT AS verified_flag,
    (epoch_us(q.t) - epoch_us(a.created_at)) / 8.64e10 AS account_age_days,
    CASE WHEN logs THEN actions_count_7d END AS actions_count_7d,
    CASE WHEN logs THEN actions_count_1d END AS actions_count_1d,
    CASE WHEN logs THEN engagers_count_30d END AS engagers_count_30d,
    r.*EXCLUDE (post, actions_count_7d, actions_count_1d, engagers_count_30d)
FROM (SELECT *, network IN (SELECT network FROM logged) AS logs FROM judged) q
JOIN reactions r USING (post)
LEFT JOIN shown s USING (post)
LEFT JOIN accounts a ON a.account = q.account
