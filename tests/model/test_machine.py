"""What this process may take of the machine: the least of what sets a limit."""

import pytest

from onnxspec.model import machine


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Control groups made of files: place and content of each; the machine itself sets no limit."""
    monkeypatch.setattr(machine, "_CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(machine, "_OWN_CGROUPS", tmp_path / "own")
    monkeypatch.setattr(machine, "_physical", lambda: 0)
    monkeypatch.setattr(machine, "_address_space", lambda: 0)

    def make(own, files):
        (tmp_path / "own").write_text(own)
        for place, content in files.items():
            file = tmp_path / "cgroup" / place
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        return machine.limit()

    return make


@pytest.mark.parametrize(
    ("own", "files", "size"),
    [
        ("0::/a/b\n", {"a/b/memory.max": "500\n", "a/memory.max": "max\n"}, 500),
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": "300\n"}, 300),
        ("0::/\n", {"memory.max": "200\n"}, 200),
        ("0::/seen/by/the/host\n", {"memory.max": "200\n"}, 200),
        ("4:cpu,memory:/a\n1:name=x:/\n", {"memory/a/memory.limit_in_bytes": "700\n"}, 700),
        ("4:memory:/away\n0::/\n", {"memory/memory.limit_in_bytes": "700\n"}, 700),
        ("4:memory:/a:b\n", {"memory/a:b/memory.limit_in_bytes": "70\n"}, 70),
    ],
)
def test_control_groups(groups, own, files, size):
    assert groups(own, files) == machine.Limit(size, "this process's control group")


def test_nothing_sets_a_limit(groups):
    assert groups("nonsense\n", {}).size > 2**60
    assert groups("0::/\n", {"memory.max": "max\n"}).size > 2**60


def test_the_least_counts_unless_asked(groups, monkeypatch):
    groups("0::/\n", {"memory.max": "500\n"})
    monkeypatch.setattr(machine, "_physical", lambda: 400)
    assert machine.limit() == machine.Limit(400, "this machine's memory")
    monkeypatch.setattr(machine, "_address_space", lambda: 300)
    assert "ulimit -v" in machine.limit().name
    assert machine.limit(10**12) == machine.Limit(10**12, "--max-memory")


def test_this_machine():
    assert 10**8 < machine.limit().size < 10**15


def test_an_address_space_that_is_limited(monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (7_000, 9_000))
    assert machine._address_space() == 7_000
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    assert machine._address_space() == 0


@pytest.mark.parametrize(
    ("size", "text"), [(900, "0.9 kB"), (1_500_000, "1.5 MB"), (4 * 10**9, "4 GB"), (10**25, "1e+07 EB")]
)
def test_sizes_for_people(size, text):
    assert machine.size_text(size) == text


@pytest.mark.parametrize(
    ("own", "files", "cores"),
    [
        ("0::/a/b\n", {"a/b/cpu.max": "150000 100000\n", "cpu.max": "max 100000\n"}, 2),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "50000 100000\n"}, 1),
        ("0::/seen/by/the/host\n", {"cpu.max": "300000 100000\n"}, 3),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 8),
        ("0::/\n", {"cpu.max": "9900000 100000\n"}, 8),
        ("0::/\n", {"cpu.max": "nonsense\n"}, 8),
        ("4:cpu,cpuacct:/a\n", {"cpu/a/cpu.cfs_quota_us": "400000\n", "cpu/a/cpu.cfs_period_us": "100000\n"}, 4),
        ("4:cpu,cpuacct:/a\n", {"cpu/a/cpu.cfs_quota_us": "-1\n", "cpu/a/cpu.cfs_period_us": "100000\n"}, 8),
        ("nonsense\n", {}, 8),
    ],
)
def test_cores_are_those_that_affinity_and_control_groups_leave(groups, monkeypatch, own, files, cores):
    groups(own, files)
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert machine.cores() == cores
