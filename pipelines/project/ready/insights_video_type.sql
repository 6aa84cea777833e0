-- `total` is left out: it contains the two others.
SELECT action_video_type,
    sum(value) FILTER (list_field = 'video_play_actions') AS plays,
    sum(value) FILTER (list_field = 'video_p50_watched_actions') AS half,
    sum(value) FILTER (list_field = 'video_p100_watched_actions') AS whole
FROM insights_video_type_actions
WHERE action_video_type <> 'total'
GROUP BY ALL
ORDER BY plays DESC
