-- What the post says and shows. A space is whatever Unicode calls white space; \s alone is ASCII here.
WITH said AS (
    SELECT *, regexp_replace(text, 'https?://[^\s\p{Z}\x0b\x{85}]+', '', 'g') AS plain FROM judged
),
split AS (
    SELECT *,
        len(regexp_extract_all(plain, '[^\s\p{Z}\x0b\x{85}]')) AS visible,
        len(regexp_extract_all(plain, '[^\s\p{Z}\x0b\x{85}]+')) AS words,
        len(regexp_extract_all(plain, '\p{L}')) AS letters,
        regexp_replace(plain, '^[\s\p{Z}\x0b\x{85}]+|[\s\p{Z}\x0b\x{85}]+$', '', 'g') AS stripped
    FROM said
)
SELECT
    post,
    len(plain) AS text_chars,
    words AS text_words,
    CASE WHEN words > 0 THEN visible::DOUBLE / words END AS word_chars_mean,
    coalesce(n_urls, len(regexp_extract_all(text, 'https?://[^\s\p{Z}\x0b\x{85}]'))) AS urls_count,
    coalesce(n_hashtags, len(regexp_extract_all(text, '[#＃][\p{L}\p{N}_]'))) AS hashtags_count,
    coalesce(n_hashtags, len(regexp_extract_all(text, '[#＃][\p{L}\p{N}_]')))::DOUBLE / nullif(words, 0) AS hashtags_words_share,
    coalesce(n_mentions, len(regexp_extract_all(text, '(^|[^\p{L}\p{N}_])@[\p{L}\p{N}_]+'))) AS mentions_count,
    n_media AS media_count,
    len(plain) - len(replace(replace(plain, '?', ''), '？', '')) AS questions_count,
    len(plain) - len(replace(replace(plain, '!', ''), '！', '')) AS exclamations_count,
    len(regexp_extract_all(plain, '\p{Nd}')) AS digits_count,
    CASE WHEN letters > 0 THEN len(regexp_extract_all(plain, '\p{Lu}'))::DOUBLE / letters END AS capitals_share,
    len(plain) - len(replace(replace(plain, '.', ''), '。', '')) AS full_stops_count,
    -- What stands before the first name, without the one character that sets the name apart, or before the first hashtag.
    CASE WHEN regexp_matches(text, '(^|[^\p{L}\p{N}_])@[\p{L}\p{N}_]') THEN
        len(regexp_extract(text, '(?s)^(.*?)(?:^|[^\p{L}\p{N}_])@[\p{L}\p{N}_]', 1))::DOUBLE / len(text)
    END AS mention_place_share,
    CASE WHEN regexp_matches(text, '[#＃][\p{L}\p{N}_]') THEN
        len(regexp_extract(text, '(?s)^(.*?)[#＃][\p{L}\p{N}_]', 1))::DOUBLE / len(text)
    END AS hashtag_place_share,
    (kind = 'reply')::INT AS reply_flag,
    (kind = 'quote')::INT AS quote_flag,
    (ltrim(regexp_replace(text, '[\s\p{Z}\x0b\x{85}]', ' ', 'g')) SIMILAR TO '(@|\.@)(.|\n)*')::INT AS mention_first_flag
FROM split
