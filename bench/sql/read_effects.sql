-- What a consumer applied, and on how many keys it is not exactly its versions, each once.
select coalesce(sum(applied), 0)::bigint as applied, count(*) filter (where applied <> last_version) as uneven
from effects where consumer = $1
