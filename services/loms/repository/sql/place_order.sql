-- Places an order in a transaction of its own: what that promises stands in functions/place_order.sql.
select in_progress, short from place_order(
  $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22
)
