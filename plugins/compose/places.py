"""What has no place on this architecture: for each key, image and kind of volume, what happens to it."""

from __future__ import annotations

from .sources import image_name

DATABASES = ("mysql", "mysql-server", "mariadb", "percona", "percona-server")

_PROXY = "CloudFront stands in front instead, and sends the backend what cdn_backend_path says"
_CACHE = "nothing of it is made; run an ElastiCache of your own in the VPC, and write its address into the services"
_QUEUE = "nothing of it is made; run an Amazon MQ or SQS of your own, and write its address into the services"
_OTHER_DATABASE = "Madang runs MySQL alone; run an RDS or DynamoDB of your own, and write its address into the services"
_TOOL = "a tool for development; it stays behind, and `lab ssh` or the connect endpoint reaches the hosts"
_MAIL = "a mail catcher for development; it stays behind, and the product needs a real mail service"
_STORE = "nothing of it is made; S3 is there, and the hosts reach it through the VPC's endpoint"
_WATCH = "nothing of it is made; CloudWatch, or monitoring of your own, takes its part"

IMAGES = (
    dict.fromkeys(("redis", "valkey", "keydb", "dragonfly", "memcached", "redis-stack", "redis-stack-server"), _CACHE)
    | dict.fromkeys(("rabbitmq", "kafka", "cp-kafka", "nats", "activemq", "zookeeper", "cp-zookeeper"), _QUEUE)
    | dict.fromkeys(
        ("postgres", "postgresql", "postgis", "mongo", "mongodb", "cassandra", "couchdb", "elasticsearch", "opensearch",
         "influxdb", "clickhouse", "cockroach", "neo4j", "dynamodb-local", "timescaledb"), _OTHER_DATABASE)
    | dict.fromkeys(("nginx", "caddy", "traefik", "haproxy", "httpd", "envoy", "nginx-proxy"), _PROXY)
    | dict.fromkeys(("adminer", "phpmyadmin", "portainer", "watchtower", "dbgate", "mongo-express"), _TOOL)
    | dict.fromkeys(("mailhog", "mailpit", "maildev", "inbucket", "smtp4dev"), _MAIL)
    | dict.fromkeys(("minio", "localstack"), _STORE)
    | dict.fromkeys(("prometheus", "grafana", "loki", "jaeger", "node-exporter", "cadvisor", "promtail"), _WATCH)
    | {"certbot": "certificates come from ACM: cdn_aliases and cdn_certificate_arn"}
)  # fmt: skip

_HOST = "a host has its own"
_RIGHTS = "the service's unit gives it no privileges, whatever compose gave it"
_KERNEL = "the host's kernel has its own settings"
_LIMITS = "nothing of it is carried over; the instance's type is the limit (instances_list: type)"
_LABELS = "labels are compose's; on AWS there are project_tags"
_CONTAINER = "it belongs to containers; on a host it means nothing"
_NAMES = "the host's resolver is the VPC's; add a record to the private zone instead"

# Keys of a service that is carried over, in the Compose Specification's words.
KEYS = {
    "annotations": _LABELS,
    "attach": _CONTAINER,
    "blkio_config": _LIMITS,
    "cap_add": _RIGHTS,
    "cap_drop": "the service's unit drops every capability",
    "cgroup": _CONTAINER,
    "cgroup_parent": _CONTAINER,
    "cpu_count": _LIMITS,
    "cpu_percent": _LIMITS,
    "cpu_period": _LIMITS,
    "cpu_quota": _LIMITS,
    "cpu_rt_period": _LIMITS,
    "cpu_rt_runtime": _LIMITS,
    "cpu_shares": _LIMITS,
    "cpus": _LIMITS,
    "cpuset": _LIMITS,
    "credential_spec": _CONTAINER,
    "develop": "it is for development; a new release is `ansible-playbook site.yml`",
    "device_cgroup_rules": _RIGHTS,
    "devices": "the service's unit has no devices",
    "dns": _NAMES,
    "dns_opt": _NAMES,
    "dns_search": "hosts search the private zone",
    "domainname": "the private zone's name is network_zone",
    "external_links": "what runs outside of the file is not deployed; write its address into the service's environment",
    "extra_hosts": _NAMES,
    "gpus": "the default instance type has none; set instances_type",
    "group_add": _RIGHTS,
    "init": "systemd is the host's init",
    "ipc": _CONTAINER,
    "isolation": _CONTAINER,
    "label_file": _LABELS,
    "labels": _LABELS,
    "logging": "its output goes to the host's journal",
    "mac_address": "AWS gives interfaces their addresses",
    "mem_reservation": _LIMITS,
    "mem_swappiness": _KERNEL,
    "memswap_limit": _LIMITS,
    "models": "nothing of it is made",
    "network_mode": "every host is in the VPC, behind its security groups",
    "oom_kill_disable": _KERNEL,
    "oom_score_adj": _KERNEL,
    "pid": _CONTAINER,
    "pids_limit": _LIMITS,
    "platform": "the instance's type decides the architecture",
    "post_start": "it is not run; backend_migrate_command is run before each release",
    "pre_stop": "it is not run; the service gets SIGTERM and 20 seconds",
    "privileged": _RIGHTS,
    "provider": "nothing of it is made",
    "pull_policy": "no image is pulled: services are built from their sources",
    "read_only": "the service's unit has a read-only system in any case",
    "runtime": _CONTAINER,
    "security_opt": _RIGHTS,
    "shm_size": _HOST,
    "stdin_open": _CONTAINER,
    "stop_grace_period": "the service gets 20 seconds to stop",
    "stop_signal": "the service is stopped by SIGTERM",
    "storage_opt": _HOST,
    "sysctls": _KERNEL,
    "tmpfs": "the service's unit has a /tmp of its own",
    "tty": _CONTAINER,
    "ulimits": "systemd's own limits hold",
    "use_api_socket": "there is no Docker engine",
    "user": "the service runs as a user of its own, named after it",
    "userns_mode": _CONTAINER,
    "uts": _CONTAINER,
    "volumes_from": "a host shares no files with another",
    "working_dir": "the service runs in the directory of its sources",
}
_ADDRESS = "AWS gives hosts their addresses; their names in the private zone stay"
_INTERFACE = "a host has one interface, in one subnet"
_FILE = "the service alone may read its secrets, whatever the file's owner and mode were"
_RHYTHM = "health is asked for in the service role's own rhythm, until the health_timeout has passed"
_VOLUME = "no such volume is made; a host has its own encrypted one (instances_volume_size)"

# What stands below a key that is carried over, and is not carried over itself.
BELOW = {
    ("networks", "ipv4_address"): _ADDRESS,
    ("networks", "ipv6_address"): _ADDRESS,
    ("networks", "link_local_ips"): _ADDRESS,
    ("networks", "mac_address"): "AWS gives interfaces their addresses",
    ("networks", "driver_opts"): "the VPC is one network, and has no drivers",
    ("networks", "interface_name"): _INTERFACE,
    ("networks", "priority"): _INTERFACE,
    ("networks", "gw_priority"): _INTERFACE,
    ("healthcheck", "timeout"): _RHYTHM,
    ("healthcheck", "start_interval"): _RHYTHM,
    ("ports", "app_protocol"): "CloudFront speaks HTTP/1.1 to the backend, and HTTP/1.1, 2 and 3 to visitors",
    ("secrets", "uid"): _FILE,
    ("secrets", "gid"): _FILE,
    ("secrets", "mode"): _FILE,
    ("secrets", "labels"): _LABELS,
    ("secrets", "driver"): "Secrets Manager keeps it",
    ("secrets", "driver_opts"): "Secrets Manager keeps it",
    ("secrets", "template_driver"): "Secrets Manager keeps it as it is, with nothing filled in",
    ("volumes", "read_only"): "the sources on a host are read-only in any case",
    ("volumes", "driver"): _VOLUME,
    ("volumes", "driver_opts"): _VOLUME,
    ("volumes", "external"): _VOLUME,
    ("volumes", "labels"): _LABELS,
}
DEPLOY = {
    "replicas": "each service has one host; a second one is not deployed",
    "mode": "each service has one host",
    "placement": "subnets in instances_list say where a host stands",
    "update_config": "a release that does not become healthy is returned to the one before",
    "rollback_config": "a release that does not become healthy is returned to the one before",
    "restart_policy": "systemd starts it again, always",
    "endpoint_mode": "CloudFront sends to one host",
    "labels": _LABELS,
    "resources": _LIMITS,
}
UNKNOWN = "Madang does not know it, and makes nothing of it"


def below(path: tuple[str, ...]) -> str:
    """What happens to a value below a key that is carried over."""
    key, *rest = path[2:] if path[0] == "services" else path
    return next((BELOW[key, name] for name in rest if (key, name) in BELOW), UNKNOWN)


def image_sentence(image: str, has_sources: bool) -> str:
    """What happens to a service that is no part of the product's four."""
    name = image_name(image)
    if name in IMAGES:
        return IMAGES[name]
    if has_sources:
        return "there is one frontend, one backend and one collector, and it is none of them; it stays behind"
    return f"the image {image} comes without sources, which Madang builds from; it stays behind"
