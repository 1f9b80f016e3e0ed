-- When the post goes out, against the account's own posts known before (reshares of others' included).
WITH seen AS (
    SELECT q.post, q.t, q.happened_at, p.clock,
        hour(p.happened_at) = hour(q.happened_at) AS same_hour,
        isodow(p.happened_at) = isodow(q.happened_at) AS same_day
    FROM judged q LEFT JOIN known_posts p ON p.account = q.account AND p.clock < q.t
)
SELECT
    post,
    any_value(hour(happened_at) + minute(happened_at) / 60.0) AS hour_utc,
    any_value(isodow(happened_at)) AS weekday,
    count(*) FILTER (same_hour AND clock > t - INTERVAL 90 DAY)
        / nullif(count(clock) FILTER (clock > t - INTERVAL 90 DAY), 0) AS hour_share_90d,
    count(*) FILTER (same_day AND clock > t - INTERVAL 90 DAY)
        / nullif(count(clock) FILTER (clock > t - INTERVAL 90 DAY), 0) AS weekday_share_90d,
    (epoch_us(any_value(t)) - max(epoch_us(clock))) / 3.6e9 AS post_gap_hours_last,
    count(clock) FILTER (clock > t - INTERVAL 1 DAY) AS posts_count_1d,
    count(clock) FILTER (clock > t - INTERVAL 30 DAY) AS posts_count_30d
FROM seen
GROUP BY post
