CREATE DATABASE archive;
CREATE USER 'app'@'%' IDENTIFIED BY 'in-two-places';
GRANT SELECT ON *.* TO 'app'@'%';
