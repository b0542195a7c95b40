-- duckdb -c ".read analyse.sql", beside all.parquet.

-- How many rows were explained, and why the others were not.
SELECT coalesce(error, 'explained') AS outcome, count(*) AS answers FROM 'all.parquet' GROUP BY outcome ORDER BY answers DESC;

-- The answers that the model was least sure of.
SELECT id, answer, list_min(probabilities) AS least FROM 'all.parquet' WHERE error IS NULL ORDER BY least LIMIT 10;

-- Where the map of each answer's first word is greatest: row and column of the first picture's cells.
SELECT
    id,
    words[1] AS word,
    (list_position(map, list_max(map)) - 1) // grids[3] % grids[2] AS "row",
    (list_position(map, list_max(map)) - 1) % grids[3] AS "column"
FROM (
    SELECT *, word_maps[1 : grids[1] * grids[2] * grids[3]] AS map FROM 'all.parquet' WHERE error IS NULL
);
