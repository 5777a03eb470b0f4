"""SQLite is refused where its locks do not hold: on network file systems."""

from __future__ import annotations

from pathlib import Path

import pytest

from gen_toolkit.database import mounts
from gen_toolkit.database.engine import open_database
from gen_toolkit.database.mounts import network_file_system
from gen_toolkit.errors import DatabaseError

LOCAL = ["ext4", "xfs", "btrfs", "overlay", "tmpfs", "zfs", "fuse.gocryptfs", "virtiofs"]
NETWORK = ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "ceph", "lustre", "glusterfs"]


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Mount points and their kinds, as the kernel would list them; / is a local disk."""
    table = [("/", "ext4")]

    class Listed:
        def read_text(self, **_: str) -> str:
            lines = [
                f"{number} 1 0:{number} / {point} rw,relatime shared:{number} - {kind} source rw"
                for number, (point, kind) in enumerate(table, 20)
            ]
            return "\n".join(lines) + "\n"

    monkeypatch.setattr(mounts, "MOUNTS", Listed())
    return table


@pytest.mark.parametrize("kind", NETWORK)
def test_a_workspace_on_a_network_file_system_is_refused_with_the_advice(
    mounted: list[tuple[str, str]], workspace: Path, kind: str
) -> None:
    mounted.append((str(workspace), kind))
    with pytest.raises(DatabaseError, match=rf"network file system \({kind}\).*PostgreSQL") as caught:
        open_database()
    assert "\n" not in str(caught.value)
    assert not list(workspace.glob("mlruns/*"))


@pytest.mark.parametrize("kind", LOCAL)
def test_local_disks_memory_and_containers_are_fine(mounted: list[tuple[str, str]], workspace: Path, kind: str) -> None:
    mounted.append((str(workspace), kind))
    assert open_database().path == workspace / "mlruns" / "gen_toolkit.db"


def test_the_deepest_mount_counts_and_of_two_on_one_point_the_last(mounted: list[tuple[str, str]]) -> None:
    mounted += [("/net", "nfs4"), ("/net/local", "ext4"), ("/twice", "nfs"), ("/twice", "ext4"), ("/netter", "ext4")]
    found = {name: network_file_system(Path(name)) for name in ("/net/a", "/net/local/a/b", "/twice/a", "/netter/a")}
    assert found == {"/net/a": "nfs4", "/net/local/a/b": None, "/twice/a": None, "/netter/a": None}


def test_a_mount_point_with_a_space_is_found(mounted: list[tuple[str, str]]) -> None:
    mounted.append(("/my\\040share", "cifs"))
    assert network_file_system(Path("/my share/work")) == "cifs"


def test_a_whole_system_on_9p_is_a_sandbox_and_not_refused(mounted: list[tuple[str, str]]) -> None:
    mounted[0] = ("/", "9p")
    mounted.append(("/mnt/c", "9p"))
    assert network_file_system(Path("/home/me")) is None
    assert network_file_system(Path("/mnt/c/me")) == "9p"


def test_where_the_kernel_does_not_tell_nothing_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mounts, "MOUNTS", tmp_path / "nowhere")
    assert network_file_system(tmp_path) is None
