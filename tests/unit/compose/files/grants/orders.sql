CREATE DATABASE audit;
GRANT SELECT ON audit.* TO 'app'@'%';
GRANT INSERT ON audit.* TO 'app'@'%';
GRANT SELECT, SHOW VIEW ON orders.* TO 'reader'@'%', auditor WITH GRANT OPTION;
GRANT UPDATE ON `orders`.`invoices` TO 'reader'@'%';
GRANT ALL ON mysql.* TO "root"@"localhost"; GRANT REPLICATION SLAVE ON *.* TO copy;
