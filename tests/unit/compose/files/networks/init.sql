CREATE USER 'collector'@'%' IDENTIFIED BY 'two';
GRANT SELECT, INSERT ON readings.* TO 'collector'@'%';
CREATE TABLE readings.readings (id INT PRIMARY KEY);
