"""What the machine image consists of, as data: packages, files, units that are off."""

from __future__ import annotations

PACKAGES = (
    "acl",  # Ansible hands files to unprivileged users with it
    "ca-certificates",
    "cloud-init",
    "curl",
    "dbus",
    "iproute2",
    "iputils-ping",
    "nftables",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "sudo",
    "systemd-sysv",
    "unzip",
)

# Useless without hardware or a console, or they would fetch packages on their own while a playbook holds dpkg's lock.
MASKED_UNITS = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "console-getty.service",
    "container-getty@.service",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty.target",
    "ldconfig.service",
    "modprobe@.service",
    "networking.service",
    "systemd-firstboot.service",
    "systemd-hwdb-update.service",
    "systemd-networkd.service",
    "systemd-networkd-wait-online.service",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
    "systemd-udevd.service",
    "systemd-udev-trigger.service",
)

DPKG_OPTIONS = (
    "force-unsafe-io",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/doc/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/lintian/*",
    "path-include=/usr/share/doc/*/copyright",
)

# Guests must take what the mirror has, even when it is a frozen copy whose dates have passed.
APT_OPTIONS = """\
Acquire::Languages "none";
Acquire::PDiffs "false";
Acquire::Check-Valid-Until "false";
Acquire::Check-Date "false";
APT::Install-Recommends "false";
APT::Periodic::Enable "0";
"""

# A container has no DMI for the stock data source to recognise EC2 by; all else is stock, IMDSv2 included.
DATA_SOURCE = '''\
"""EC2's data source for a machine that has no DMI to recognise EC2 by."""

from cloudinit import sources
from cloudinit.sources import DataSourceEc2 as ec2


class DataSourceMadang(ec2.DataSourceEc2):
    def _get_cloud_name(self):
        return ec2.CloudNames.AWS


def get_datasource_list(depends):
    return sources.list_from_depends(
        depends, [(DataSourceMadang, (sources.DEP_FILESYSTEM, sources.DEP_NETWORK))]
    )
'''

CLOUD_CONFIG = """\
# An EC2 instance of the lab. Default user and host names as in Debian's own machine images on AWS.
datasource_list: [Madang]
datasource:
  Ec2:
    metadata_urls: ["http://169.254.169.254"]
    max_wait: 20
    timeout: 5
    apply_full_imds_network_config: false
network: {config: disabled}
apt: {preserve_sources_list: true}
manage_etc_hosts: true
ssh_genkeytypes: [ed25519]
system_info:
  default_user:
    name: admin
    gecos: Debian
    groups: [adm, sudo]
    lock_passwd: true
    shell: /bin/bash
    sudo: ["ALL=(ALL) NOPASSWD:ALL"]
cloud_init_modules: [bootcmd, write_files, set_hostname, update_hostname, update_etc_hosts, users_groups, ssh]
cloud_config_modules: [timezone, apt_configure, runcmd]
cloud_final_modules: [package_update_upgrade_install, write_files_deferred, scripts_per_once, scripts_per_boot,
  scripts_per_instance, scripts_user, final_message]
"""


def files(mirror: str) -> dict[str, str]:
    """Return the image's own files, path to content; ``mirror`` is the Debian mirror's URL as guests use it."""
    return {
        "etc/apt/sources.list.d/debian.sources": (
            f"Types: deb\nURIs: {mirror}\nSuites: sid\nComponents: main\n"
            "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
        ),
        "etc/apt/apt.conf.d/90lab": APT_OPTIONS,
        "etc/dpkg/dpkg.cfg.d/90lab": "\n".join(DPKG_OPTIONS) + "\n",
        "etc/cloud/cloud.cfg.d/90_lab.cfg": CLOUD_CONFIG,
        "etc/cloud/ds-identify.cfg": "policy: enabled\n",
        "etc/default/locale": "LANG=C.UTF-8\n",
        "etc/ssh/sshd_config.d/90-lab.conf": "UseDNS no\nPasswordAuthentication no\n",
        "usr/lib/python3/dist-packages/cloudinit/sources/DataSourceMadang.py": DATA_SOURCE,
    }
