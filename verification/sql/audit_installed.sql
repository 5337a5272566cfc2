-- The moment from which the audit trigger saw every change.
select at from audit.installed
