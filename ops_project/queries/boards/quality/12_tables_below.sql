-- title: Tables below 85
-- tells: Tables whose newest quality score is below 85.
-- source: snapshot
-- shape: number
select count(*) filter (score < 85) as tables
from (
    select score from ops.quality_scores
    qualify row_number() over (partition by table_schema, table_name order by as_of desc) = 1
) as newest
having count(*) > 0
