#!/bin/bash
# Run once by the image, on an empty db2: follow db1 from its first transaction on.
set -euo pipefail

MYSQL_PWD="$(cat /run/secrets/root_password)" mysql --user=root <<SQL
RESET BINARY LOGS AND GTIDS;
CHANGE REPLICATION SOURCE TO
  SOURCE_HOST = 'db1', SOURCE_USER = 'replication', SOURCE_PASSWORD = '$(cat /run/secrets/replication_password)',
  SOURCE_SSL = 1, SOURCE_AUTO_POSITION = 1;
SET PERSIST super_read_only = ON;
SQL
# The server starts following it when it is started for good, after this script.
