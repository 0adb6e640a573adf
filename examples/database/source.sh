#!/bin/bash
# Run once by the image, on an empty db1: the schema, and users of least privilege.
set -euo pipefail
secret() { cat "/run/secrets/$1_password"; }

MYSQL_PWD="$(secret root)" mysql --user=root <<SQL
CREATE DATABASE IF NOT EXISTS product CHARACTER SET utf8mb4;
CREATE USER backend IDENTIFIED BY '$(secret backend)' REQUIRE SSL;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES ON product.* TO backend;
CREATE USER collector IDENTIFIED BY '$(secret collector)' REQUIRE SSL;
GRANT SELECT, INSERT ON product.* TO collector;
CREATE USER replication IDENTIFIED BY '$(secret replication)' REQUIRE SSL;
GRANT REPLICATION SLAVE ON *.* TO replication;
SQL
