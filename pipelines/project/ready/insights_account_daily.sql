-- People reached, and how often each saw an ad. Neither adds up over days.
SELECT account_name, date, reach, frequency, spend, days.account_currency
FROM insights_account_daily AS days
JOIN accounts USING (account_id)
WHERE reach > 0
ORDER BY account_name, date
