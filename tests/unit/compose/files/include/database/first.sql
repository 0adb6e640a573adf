GRANT SELECT ON app.* TO 'reader'@'%';
