-- An order of two items with the statements of the service: two transactions, one that draws and one that places.
\set first_sku random(1, {skus} - 1)
\set second_sku random(:first_sku + 1, {skus})
\set user_id random(1, 100000)
{draw_order} \gset
{place_order};
