-- title: Listening of 30 days
-- tells: Listens by day over all genres.
-- source: snapshot
-- shape: line
select business_date, sum(listens) as listens
from gold.kpi_genre_daily
where business_date > $as_of_date - 30 and business_date <= $as_of_date
group by business_date
order by business_date
