-- title: Tables without a score
-- tells: Tables whose newest scoring gave no score: their quality is unknown.
-- source: snapshot
-- shape: number
select count(*) filter (score is null) as tables
from (
    select score from ops.quality_scores
    qualify row_number() over (partition by table_schema, table_name order by as_of desc) = 1
) as newest
having count(*) > 0
