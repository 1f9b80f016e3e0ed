-- What had happened and was known. Tables in: accounts, profiles, posts, actions, counts, standings, action_values (kind,
-- value), judged (post, account, network, happened_at, t, …). Variable in: horizon. A row may be used after `clock`.
CREATE TABLE known_posts AS SELECT *, greatest(happened_at, known_at) AS clock FROM posts;
CREATE TABLE known_profiles AS SELECT *, greatest(happened_at, known_at) AS clock FROM profiles;
CREATE TABLE known_standings AS SELECT *, greatest(happened_at, known_at) AS clock FROM standings;
CREATE TABLE known_actions AS SELECT *, greatest(happened_at, known_at) AS clock FROM actions WHERE actor <> account AND kind NOT IN ('view', 'follow');

CREATE TABLE logged AS SELECT DISTINCT p.network, a.kind FROM actions a JOIN posts p USING (post);
CREATE TABLE counted AS
    SELECT DISTINCT p.network, c.kind FROM counts c JOIN posts p USING (post) EXCEPT SELECT network, kind FROM logged;
CREATE TABLE through AS
    SELECT network, max(known_at) AS through
    FROM (
        SELECT network, known_at FROM posts
        UNION ALL SELECT split_part(account, '/', 1), known_at FROM actions
        UNION ALL SELECT split_part(post, '/', 1), known_at FROM counts
    )
    GROUP BY network;

-- What was known of each action's engager before it: its actions of 30 days, the different other accounts it acted on in
-- 90, and how many of its network's actions of 30 days came from engagers who had acted on no other account.
CREATE TABLE every_action AS
    SELECT *, greatest(happened_at, known_at) AS clock, split_part(account, '/', 1) AS network FROM actions;
CREATE TABLE engager AS
    SELECT a.action, a.network, a.clock, date_trunc('hour', a.clock) AS hour, a.actor, a.kind, a.account,
        count(b.clock) FILTER (b.clock > a.clock - INTERVAL 30 DAY) AS acted,
        count(DISTINCT b.account) FILTER (b.account <> a.account) AS others
    FROM every_action a LEFT JOIN known_actions b
        ON b.actor = a.actor AND b.clock < a.clock AND b.clock > a.clock - INTERVAL 90 DAY
    GROUP BY ALL;
CREATE TABLE calm AS SELECT *, 1 / (1 + acted / 300.0) AS s FROM engager;
-- What is usual on a network is heard of by the hour.
-- Few others are a fifth of the usual number on the network, over actions of those who acted on others at all, each counting
-- its s, and a hundred more of none.
CREATE TABLE sayings AS
    SELECT e.*,
        greatest(
            others / (others + greatest(1, (
                SELECT coalesce(sum(o.s * o.others), 0) / (100 + coalesce(sum(o.s), 0)) FROM calm o
                WHERE o.others > 0 AND o.network = e.network AND o.actor <> o.account AND o.kind NOT IN ('view', 'follow')
                    AND o.hour < e.hour AND o.hour >= e.hour - INTERVAL 30 DAY
            ) / 5)),
            2 * (100 + (
                SELECT count(*) FROM engager o
                WHERE o.network = e.network AND o.actor <> o.account AND o.kind NOT IN ('view', 'follow') AND o.others = 0
                    AND o.hour < e.hour AND o.hour >= e.hour - INTERVAL 30 DAY
            )) / (100.0 + (
                SELECT count(*) FROM engager o
                WHERE o.network = e.network AND o.actor <> o.account AND o.kind NOT IN ('view', 'follow')
                    AND o.hour < e.hour AND o.hour >= e.hour - INTERVAL 30 DAY
            )) - 1
        ) AS e
    FROM calm e;
CREATE TABLE outcomes (account VARCHAR, clock TIMESTAMP, outcome DOUBLE);

-- What earlier posts are looked up by. Links are counted by the source, else in the text; media not told of are none.
CREATE MACRO formed(posts) AS TABLE
    SELECT *,
        coalesce(n_urls, len(regexp_extract_all(text, 'https?://[^\s\p{Z}\x0b\x{85}]'))) > 0 AS has_link,
        coalesce(n_media > 0, false) AS has_media,
        hour(happened_at) // 3 AS daypart,
        nullif(regexp_extract(lower(text), '^[\s\p{Z}\x0b\x{85}]*([^\s\p{Z}\x0b\x{85}]+)', 1), '') AS opening,
        nullif(regexp_extract(lower(text), '[#＃][\p{L}\p{N}_]+'), '') AS hashtag,
        CASE WHEN text IS NOT NULL THEN least(len(regexp_replace(text, 'https?://[^\s\p{Z}\x0b\x{85}]+', '', 'g')) // 40, 3) END AS length
    FROM query_table(posts);
CREATE TABLE forms AS FROM formed(posts);
CREATE TABLE asked AS FROM formed(judged);
