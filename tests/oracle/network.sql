-- What everybody's posts with the same first word drew against their authors' usual: the mean of the year before, of
-- authors with three posts in it. Three more posts that lifted nothing count beside them.
WITH lifted AS (
    SELECT o.network, date_trunc('hour', o.clock) + INTERVAL 1 HOUR AS clock, f.opening, ln(1 + o.outcome) - avg(ln(1 + b.outcome)) AS lift
    FROM outcomes o
    JOIN forms f USING (post)
    JOIN outcomes b ON b.account = o.account AND b.clock < o.clock AND b.clock > o.clock - INTERVAL 365 DAY
    GROUP BY o.post, o.network, o.clock, f.opening, o.outcome
    HAVING count(*) >= 3
)
SELECT
    q.post,
    CASE WHEN any_value(q.opening) IS NOT NULL THEN coalesce(sum(lift), 0) / (count(lift) + 3) END AS opening_lift_mean_30d
FROM asked q
LEFT JOIN lifted l
    ON l.network = q.network AND l.opening = q.opening AND l.clock < q.t AND l.clock > q.t - INTERVAL 30 DAY
GROUP BY q.post
