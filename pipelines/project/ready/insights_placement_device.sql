SELECT platform_position, device_platform, account_currency,
    sum(impressions) AS impressions, sum(clicks) AS clicks, sum(spend) AS spend
FROM insights_placement_device
GROUP BY ALL
ORDER BY spend DESC
LIMIT 20
