-- Makes counting and listing parked keys cost what is parked, not what was ever seen.
create index inbox_watermark_parked on inbox_watermark (consumer, topic, key) where parked is not null;
