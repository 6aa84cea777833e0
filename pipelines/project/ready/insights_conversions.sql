-- One type at a time: types overlap. Windows overlap as well.
SELECT campaign_name, action_type, sum(value) AS purchases
FROM insights_conversions_actions
WHERE list_field = 'actions' AND action_type = 'omni_purchase'
GROUP BY ALL
ORDER BY purchases DESC
LIMIT 20
