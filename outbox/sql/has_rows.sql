-- Whether the partition holds any row. Its name cannot be bound: it comes from the catalogue, quoted there.
select exists (select from {partition})
