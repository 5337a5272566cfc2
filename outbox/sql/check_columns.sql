-- The columns of the live table, with type, nullability and default, as the catalogue spells them.
select attribute.attname as name, format_type(attribute.atttypid, attribute.atttypmod) as type, attribute.attnotnull as required,
       pg_get_expr(preset.adbin, preset.adrelid) as preset
from pg_attribute as attribute
left join pg_attrdef as preset on preset.adrelid = attribute.attrelid and preset.adnum = attribute.attnum
where attribute.attrelid = to_regclass('outbox') and attribute.attnum > 0 and not attribute.attisdropped
