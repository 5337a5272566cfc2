-- Every role that may insert or is asked about ($1), the table's owner left out: what it may do, and how its commits behave
-- by its own setting, its setting in this database, or the server's.
select role.rolname as name,
       has_table_privilege(role.oid, 'outbox', 'insert') as may_insert,
       has_table_privilege(role.oid, 'outbox', 'select') as may_select,
       coalesce(has_sequence_privilege(role.oid, to_regclass('outbox_seq')::oid, 'usage'), false) as may_number,
       has_table_privilege(role.oid, 'outbox', 'update') or has_table_privilege(role.oid, 'outbox', 'delete')
         or has_table_privilege(role.oid, 'outbox', 'truncate') as may_change,
       coalesce(
         (select split_part(setting, '=', 2)
          from pg_db_role_setting as kept cross join unnest(kept.setconfig) as setting
          where kept.setrole in (role.oid, 0) and setting like 'synchronous\_commit=%'
            and kept.setdatabase in (0, (select oid from pg_database where datname = current_database()))
          order by kept.setrole desc, kept.setdatabase desc
          limit 1),
         (select reset_val from pg_settings where name = 'synchronous_commit')
       ) as synchronous_commit,
       coalesce(
         (select case
                   when kept.setrole <> 0 and kept.setdatabase <> 0
                     then format('alter role %I in database %I reset synchronous_commit', role.rolname, current_database())
                   when kept.setrole <> 0 then format('alter role %I reset synchronous_commit', role.rolname)
                   when kept.setdatabase <> 0 then format('alter database %I reset synchronous_commit', current_database())
                   else 'alter role all reset synchronous_commit'
                 end
          from pg_db_role_setting as kept cross join unnest(kept.setconfig) as setting
          where kept.setrole in (role.oid, 0) and setting like 'synchronous\_commit=%'
            and kept.setdatabase in (0, (select oid from pg_database where datname = current_database()))
          order by kept.setrole desc, kept.setdatabase desc
          limit 1),
         format('alter role %I set synchronous_commit = on', role.rolname)
       ) as commit_cure
from pg_roles as role
where role.rolname = $1
   or exists (
     select
     from pg_class as root cross join aclexplode(root.relacl) as granted
     where root.oid = to_regclass('outbox') and granted.grantee = role.oid and granted.privilege_type = 'INSERT'
       and granted.grantee <> root.relowner
   )
