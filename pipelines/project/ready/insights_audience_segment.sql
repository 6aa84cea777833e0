SELECT user_segment_key AS segment, account_currency,
    sum(impressions) AS impressions, sum(clicks) AS clicks, sum(spend) AS spend
FROM insights_audience_segment
GROUP BY ALL
ORDER BY spend DESC
LIMIT 20
