-- How many rows the partition holds, counting no further than $1.
select count(*) from (select from {partition} limit $1) as counted
