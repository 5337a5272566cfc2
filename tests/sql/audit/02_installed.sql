-- From when on every change is here: written once, when both triggers stand and no older transaction can still write.
create table audit.installed (at timestamptz not null)
