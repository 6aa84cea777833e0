SELECT age, gender, account_currency,
    sum(impressions) AS impressions, sum(clicks) AS clicks, sum(spend) AS spend
FROM insights_age_gender
GROUP BY ALL
ORDER BY age, gender, account_currency
LIMIT 20
