"""Whether a folder is on a disk of this machine: SQLite's locks and its shared memory need one."""

from __future__ import annotations

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")  # proc(5); Linux only

_NETWORK = {
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4",
    "orangefs", "pvfs2", "smb2", "smb3", "smbfs",
    "fuse.cephfs", "fuse.davfs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.goofys", "fuse.mount-s3", "fuse.rclone",
    "fuse.s3fs", "fuse.sshfs", "fuse.smbnetfs",
}  # fmt: skip


def network_file_system(folder: Path) -> str | None:
    """The kind of network file system that `folder` (which need not exist yet) is on, or None.

    None also where nobody can tell: elsewhere than on Linux.
    """
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    path = folder.resolve()
    found, deepest = "", -1
    for line in lines:
        fields, _, after = line.partition(" - ")
        point = Path(_unescaped(fields.split(" ")[4]))
        depth = len(point.parts)
        if depth >= deepest and path.is_relative_to(point):  # of two on one point the later covers the earlier
            found, deepest = after.split(" ")[0], depth
    if found == "9p" and deepest == 1:
        return None  # a machine whose whole system is on 9p is a sandbox, and this is its own disk
    return found if found in _NETWORK else None


def _unescaped(point: str) -> str:
    r"""A space stands as \040."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), point)
