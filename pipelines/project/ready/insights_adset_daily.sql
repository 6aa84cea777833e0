-- What an ad set is for, and how often that happened.
SELECT adset_name, date, reach, frequency, attribution_setting,
    results ->> '$[0].indicator' AS result,
    try_cast(results ->> '$[0].values[0].value' AS DECIMAL(18, 2)) AS number
FROM insights_adset_daily
WHERE reach > 0
ORDER BY date DESC, reach DESC
LIMIT 20
