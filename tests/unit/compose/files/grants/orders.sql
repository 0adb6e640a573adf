CREATE DATABASE audit;
GRANT SELECT ON audit.* TO 'app'@'%';
GRANT INSERT ON audit.* TO 'app'@'%';
