"""AWS on one Linux machine: the lab that site.yml runs against by default."""
