-- Compare products; what showed several of them counts for each.
SELECT product_id, account_currency, sum(impressions) AS impressions, sum(spend) AS spend
FROM insights_product
GROUP BY ALL
ORDER BY spend DESC
LIMIT 20
