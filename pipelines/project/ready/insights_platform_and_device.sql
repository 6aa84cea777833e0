SELECT impression_device, account_currency,
    sum(impressions) AS impressions, sum(clicks) AS clicks, sum(spend) AS spend
FROM insights_platform_and_device
GROUP BY ALL
ORDER BY spend DESC
LIMIT 20
