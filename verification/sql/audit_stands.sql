-- Whether the audit trigger of a test stands in this database.
select to_regclass('audit.installed') is not null
