-- What the account's and the network's earlier posts drove: outcomes that had ripened before.
WITH record AS (
    SELECT q.post, q.t, ln(1 + o.outcome) AS log, o.*EXCLUDE (post, account, network, clock), o.clock, o.outcome IS NOT NULL AS ripe,
        o.kind = q.kind AS same_kind,
        f.has_link = q.has_link AS same_link,
        f.has_media = q.has_media AS same_media,
        o.kind = q.kind AND f.has_link = q.has_link AND f.has_media = q.has_media AS same_form,
        f.daypart = q.daypart AS same_daypart,
        f.opening = q.opening AS same_opening,
        f.hashtag = q.hashtag AS same_hashtag,
        f.length = q.length AS same_length,
        row_number() OVER (PARTITION BY q.post ORDER BY o.clock DESC, o.post DESC) - 1 AS age
    FROM asked q
    LEFT JOIN outcomes o ON o.account = q.account AND o.clock < q.t
    LEFT JOIN forms f ON f.post = o.post
),
mine AS (
    SELECT
        post,
        avg(log) FILTER (clock > t - INTERVAL 90 DAY) AS outcome_log_mean_90d,
        sum(log * 0.5 ** (age / 3.0)) / sum(0.5 ** (age / 3.0)) FILTER (ripe) AS outcome_log_mean_3p,
        sum(log * 0.5 ** (age / 30.0)) / sum(0.5 ** (age / 30.0)) FILTER (ripe) AS outcome_log_mean_30p,
        max(log) AS outcome_log_max_all,
        CASE WHEN count(log) FILTER (clock > t - INTERVAL 90 DAY) >= 2
            THEN stddev_pop(log) FILTER (clock > t - INTERVAL 90 DAY) END AS outcome_log_std_90d,
        count(log) FILTER (clock > t - INTERVAL 90 DAY) AS outcome_count_90d,
        count(log) AS outcome_count_all,
        avg(ln(1 + "like")) FILTER (clock > t - INTERVAL 90 DAY) AS likes_log_mean_90d,
        avg(ln(1 + reshare)) FILTER (clock > t - INTERVAL 90 DAY) AS reshares_log_mean_90d,
        avg(ln(1 + reply)) FILTER (clock > t - INTERVAL 90 DAY) AS replies_log_mean_90d,
        avg(ln(1 + quote)) FILTER (clock > t - INTERVAL 90 DAY) AS quotes_log_mean_90d,
        CASE WHEN count(*) FILTER (same_kind AND clock > t - INTERVAL 365 DAY) >= 2
            THEN avg(log) FILTER (same_kind AND clock > t - INTERVAL 365 DAY) END AS outcome_log_mean_same_kind_365d,
        CASE WHEN count(*) FILTER (same_link AND clock > t - INTERVAL 365 DAY) >= 2
            THEN avg(log) FILTER (same_link AND clock > t - INTERVAL 365 DAY) END AS outcome_log_mean_same_link_365d,
        CASE WHEN count(*) FILTER (same_daypart AND clock > t - INTERVAL 365 DAY) >= 2
            THEN avg(log) FILTER (same_daypart AND clock > t - INTERVAL 365 DAY) END AS outcome_log_mean_same_daypart_365d,
        CASE WHEN count(*) FILTER (same_media AND clock > t - INTERVAL 365 DAY) >= 2
            THEN avg(log) FILTER (same_media AND clock > t - INTERVAL 365 DAY) END AS outcome_log_mean_same_media_365d,
        CASE WHEN count(*) FILTER (same_form AND clock > t - INTERVAL 365 DAY) >= 2
            THEN avg(log) FILTER (same_form AND clock > t - INTERVAL 365 DAY) END AS outcome_log_mean_same_form_365d,
        avg(log) FILTER (same_opening AND clock > t - INTERVAL 365 DAY) AS outcome_log_mean_same_opening_365d,
        avg(log) FILTER (same_hashtag AND clock > t - INTERVAL 365 DAY) AS outcome_log_mean_same_hashtag_365d,
        CASE WHEN count(*) FILTER (same_length AND clock > t - INTERVAL 365 DAY) >= 2
            THEN avg(log) FILTER (same_length AND clock > t - INTERVAL 365 DAY) END AS outcome_log_mean_same_length_365d,
        coalesce(sum(log) FILTER (clock > t - INTERVAL 365 DAY), 0) AS log_year,
        count(log) FILTER (clock > t - INTERVAL 365 DAY) AS count_year
    FROM record
    GROUP BY post
),
around AS (
    SELECT
        q.post,
        avg(ln(1 + o.outcome)) FILTER (date_trunc('hour', o.clock) + INTERVAL 1 HOUR > q.t - INTERVAL 30 DAY) AS network_outcome_log_mean_30d
    FROM judged q LEFT JOIN outcomes o ON o.network = q.network AND date_trunc('hour', o.clock) + INTERVAL 1 HOUR < q.t
    GROUP BY q.post
)
-- The account's own level counts its posts of the year and five more at the network's mean of the month.
SELECT *EXCLUDE (log_year, count_year),
    (log_year + 5 * network_outcome_log_mean_30d) / (count_year + 5) AS outcome_level_365d
FROM mine JOIN around USING (post)
