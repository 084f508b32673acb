-- title: Genres of the newest day
-- tells: Listens, listeners and listening time by genre, with the first song of each.
select
    genres.genre,
    genres.listens,
    genres.unique_listeners,
    genres.total_listening_seconds,
    genres.mean_listening_seconds,
    songs.title as top_song
from gold.kpi_genre_daily as genres
left join gold.kpi_top_songs as songs
    on genres.business_date = songs.business_date and genres.genre = songs.genre and songs.song_rank = 1
where genres.business_date = (select max(business_date) from gold.kpi_genre_daily)
order by genres.listens desc
