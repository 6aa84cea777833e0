SELECT audience_hour, account_currency,
    sum(impressions) AS impressions, sum(clicks) AS clicks, sum(spend) AS spend
FROM insights_audience_hour
GROUP BY ALL
ORDER BY audience_hour, account_currency
LIMIT 20
