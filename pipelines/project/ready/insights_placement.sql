SELECT publisher_platform, platform_position, account_currency,
    sum(impressions) AS impressions, sum(clicks) AS clicks, sum(spend) AS spend
FROM insights_placement
GROUP BY ALL
ORDER BY spend DESC
LIMIT 20
