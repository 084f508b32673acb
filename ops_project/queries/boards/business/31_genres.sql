-- title: Genres of the newest day
-- tells: Listens and listeners by genre on the newest day.
-- source: snapshot
-- shape: bars
select genre, listens, unique_listeners, mean_listening_seconds
from gold.kpi_genre_daily
where business_date = (select max(business_date) from gold.kpi_genre_daily where business_date <= $as_of_date)
order by listens desc, genre
limit 10
