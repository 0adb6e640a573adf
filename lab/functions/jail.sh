# The execution environment of a Lambda function, seen from inside: its code, the runtime and Debian's /usr, all
# read-only; a /tmp of its own; an unprivileged user; processes of its own; and the network of its interface.
# Runs as process 1 of new mount, process, IPC and host name namespaces. It stays: when it ends, all of them end.
# Arguments: ROOT UID STORAGE-MIB RESOLVER CODE PYTHON-PREFIX RUNTIME-FILE… -- COMMAND…
set -eu
umask 022
root=$1 uid=$2 storage=$3 resolver=$4 code=$5 prefix=$6
shift 6

read_only() {
	mount --bind "$1" "$root$2"
	mount -o remount,bind,ro,nosuid,nodev "$root$2"
}

mount -t tmpfs -o mode=755,size=1m,nosuid tmpfs "$root"
cd "$root"
mkdir -p dev etc/ssl/certs proc tmp usr var/task var/runtime "./$prefix"
for link in bin lib lib64 sbin; do ln -s "usr/$link" "$link"; done
read_only /usr /usr
[ "$prefix" = /usr ] || read_only "$prefix" "$prefix"
read_only /etc/ssl/certs /etc/ssl/certs
read_only "$code" /var/task
while [ "$1" != -- ]; do
	target=/var/runtime/$(basename "$1")
	if [ -d "$1" ]; then mkdir "$root$target"; else : >"$root$target"; fi
	read_only "$1" "$target"
	shift
done
shift

echo "nameserver $resolver" >etc/resolv.conf
echo "127.0.0.1 localhost" >etc/hosts
echo "hosts: files dns" >etc/nsswitch.conf
echo "sbx_user1051:x:$uid:$uid::/tmp:/usr/sbin/nologin" >etc/passwd
echo "sbx_user1051:x:$uid:" >etc/group
for device in null zero full random urandom; do
	: >"dev/$device"
	mount --bind "/dev/$device" "dev/$device"
done
mount -t proc -o nosuid,nodev,noexec proc proc
mount -t tmpfs -o "mode=1777,size=${storage}m,nosuid,nodev" tmpfs tmp
mount -o remount,ro,nosuid tmpfs "$root"
hostname localhost
ulimit -n 1024
ulimit -p 1024

# Not exec: a process that changes its user no longer ends with whoever started it.
chroot "$root" /usr/bin/setpriv --reuid="$uid" --regid="$uid" --clear-groups --no-new-privs \
	--bounding-set=-all --inh-caps=-all "$@"
