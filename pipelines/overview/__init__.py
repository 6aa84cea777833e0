"""The page to look at: one HTML file over the published tables, for people who ask how things are
going and whether they may trust the numbers.

First the tables are read into values (`reading`), then put into words and pictures (`trust`,
`wording`, `drawing`), last into the page (`page`). Nothing here makes a request.
The command line, `pipelines.agents` and the asset `overview` import it.
"""
