-- title: Unknown references
-- tells: Songs and users that appear in streams but in no extract, the most frequent first.
select 'song' as kind, song_id as id, count(*) as streams, min(listened_at) as first_at, max(listened_at) as last_at
from silver.int_streams
where not is_known_song
group by song_id
union all
select 'user', user_id, count(*), min(listened_at), max(listened_at)
from silver.int_streams
where not is_known_user
group by user_id
order by streams desc, id
limit 50
