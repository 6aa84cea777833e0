-- Each line is a part of ads that have other parts too: compare lines, do not add them up.
SELECT video_asset_video_name, account_currency,
    sum(impressions) AS impressions, sum(clicks) * 100.0 / sum(impressions) AS ctr
FROM insights_asset_video
GROUP BY ALL
ORDER BY impressions DESC
LIMIT 20
