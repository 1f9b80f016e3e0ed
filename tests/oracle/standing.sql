-- The Wikipedia page that is declared as the account's: views a day over 30 days, and the newest number of links to it.
SELECT
    q.post,
    CASE WHEN (SELECT count(*) FROM outcomes o WHERE o.account = q.account AND o.clock < q.t) < 10 THEN (
        SELECT avg(s.count) FROM known_standings s
        WHERE s.account = q.account AND s.kind = 'view' AND s.clock < q.t AND s.clock > q.t - INTERVAL 30 DAY
    ) END AS page_views_mean_30d,
    (
        SELECT arg_max(s.count, (s.clock, s.happened_at)) FROM known_standings s
        WHERE s.account = q.account AND s.kind = 'link' AND s.clock < q.t
    ) AS page_links_last
FROM judged q
