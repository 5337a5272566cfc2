-- Apart from the product's own tables, and read by everybody who may read them.
create schema audit
