SELECT action_reaction, sum(value) AS reactions
FROM insights_reactions_actions
WHERE action_type = 'post_reaction' AND action_reaction IS NOT NULL
GROUP BY ALL
ORDER BY reactions DESC
