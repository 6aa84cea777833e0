SELECT publisher_platform, account_currency,
    sum(impressions) AS impressions, sum(clicks) AS clicks, sum(spend) AS spend
FROM insights_publisher
GROUP BY ALL
ORDER BY spend DESC
LIMIT 20
