#!/bin/bash
# Single-node Ceph RGW (Debian 12: ceph-mon ceph-osd radosgw ceph-common) on 127.0.0.1, OSD = memstore.
# Needs root, no systemd. D: an empty scratch folder; RGW_PORT, MON_PORT: free ports. Pids are in $D/out/*.pid.
set -e
D=${D:?a scratch folder}; RGW_PORT=${RGW_PORT:-17200}; MON_PORT=${MON_PORT:-17201}
rm -rf $D; mkdir -p $D/{mon,osd,rgw,mgr,log,out}
FSID=$(cat /proc/sys/kernel/random/uuid)
cat > $D/ceph.conf <<C
[global]
fsid = $FSID
mon host = [v2:127.0.0.1:$MON_PORT]
ms bind ipv4 = true
public addr = 127.0.0.1
cluster addr = 127.0.0.1
public network = 127.0.0.0/8
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
osd pool default pg autoscale mode = off
mon max pg per osd = 2000
log to stderr = false
log file = $D/log/\$name.log
admin socket = $D/out/\$name.asok
pid file = $D/out/\$name.pid
run dir = $D/out
mon data = $D/mon
osd data = $D/osd
mgr data = $D/mgr
keyring = $D/keyring
auth allow insecure global id reclaim = false
[osd]
osd objectstore = memstore
memstore device bytes = 4294967296
osd class load list = *
osd class default list = *
[client.rgw]
rgw data = $D/rgw
rgw frontends = beast endpoint=127.0.0.1:$RGW_PORT
rgw enable usage log = false
rgw gc obj min wait = 5
C
export CEPH_CONF=$D/ceph.conf
monmaptool --create --fsid $FSID --addv a "[v2:127.0.0.1:$MON_PORT]" $D/monmap >/dev/null
ceph-authtool --create-keyring $D/keyring --gen-key -n mon. --cap mon 'allow *' >/dev/null
ceph-authtool $D/keyring --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' --cap mds 'allow *' >/dev/null
ceph-authtool $D/keyring --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *' >/dev/null
ceph-authtool $D/keyring --gen-key -n client.rgw --cap mon 'allow rw' --cap osd 'allow rwx' >/dev/null
ceph-mon -c $CEPH_CONF --mkfs -i a --monmap $D/monmap --keyring $D/keyring
ceph-mon -c $CEPH_CONF -i a
OSDUUID=$(cat /proc/sys/kernel/random/uuid)
timeout 30 ceph -c $CEPH_CONF osd new $OSDUUID >/dev/null
ceph-osd -c $CEPH_CONF -i 0 --mkfs --osd-uuid $OSDUUID >/dev/null 2>&1
ceph-osd -c $CEPH_CONF -i 0
radosgw -c $CEPH_CONF -n client.rgw
for i in $(seq 60); do curl -s -o /dev/null http://127.0.0.1:$RGW_PORT && break; sleep 0.5; done
radosgw-admin -c $CEPH_CONF user create --uid=test --display-name=test --access-key=testkey --secret-key=testsecret >/dev/null
echo RGW ready http://127.0.0.1:$RGW_PORT
