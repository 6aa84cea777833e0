SELECT region, account_currency,
    sum(impressions) AS impressions, sum(clicks) AS clicks, sum(spend) AS spend
FROM insights_region
GROUP BY ALL
ORDER BY spend DESC
LIMIT 20
