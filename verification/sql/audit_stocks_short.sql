-- Every change of a stock since a moment after which more was reserved than there is; a row that was so before is excepted.
select sku, total, reserved, xid, at
from audit.stocks
where at >= $1 and reserved not between 0 and total and was_reserved between 0 and was_total
