import concurrent.futures
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytest_lse.lint import check, run
from pytest_lse.lint.config import ConfigError, Resolver
from pytest_lse.lint.run import Job, tasks
from pytest_lse.lint.select import UnknownCodeError

NAIVE = "import numpy as np\n\n\ndef f(x):\n    return np.log(np.sum(np.exp(x), axis=1))\n"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for i in range(40):
        path = tmp_path / f"p{i % 3}" / f"m{i}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text("x = 1\n" * i + (NAIVE if i % 4 else "def f(:\n"))
    return tmp_path


def test_plain_data_sorted_by_place(tree):
    found = check(["."])
    assert len(found) == 40
    assert {f["code"] for f in found} == {"LSE000", "LSE001"}
    keys = [(f["filename"], f["location"]["row"], f["location"]["column"]) for f in found]
    assert keys == sorted(keys)
    assert found == check(["p2", Path("p0"), "p1", "p1/m1.py"])


@pytest.mark.parametrize("jobs", [2, 5])
@pytest.mark.parametrize("threads", [1, 2])
def test_any_number_of_jobs_gives_the_same(tree, monkeypatch, jobs, threads):
    monkeypatch.setattr(run, "POOL_AFTER", 0)
    monkeypatch.setattr(run.threading, "active_count", lambda: threads)
    assert check(["."], jobs=jobs) == check(["."])


def test_no_pool_for_a_short_run(tree, monkeypatch):
    monkeypatch.setattr(run, "POOL_AFTER", 1000)
    monkeypatch.setattr(concurrent.futures, "ProcessPoolExecutor", None)
    assert len(check(["."], jobs=8)) == 40


def test_threads_give_the_same(tree, monkeypatch):
    monkeypatch.setattr(run, "CHUNK", 3)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert check(["."], executor=pool) == check(["."])


class Flaky(concurrent.futures.ThreadPoolExecutor):
    """Loses work: every third submission is refused, every third one fails, and the rest is done."""

    def __init__(self) -> None:
        super().__init__(2)
        self.count = 0

    def submit(self, fn, /, *args, **kwargs):
        self.count += 1
        if self.count % 3 == 0:
            raise RuntimeError("cannot schedule new futures")
        if self.count % 3 == 1:
            return super().submit(lambda: 1 / 0)
        return super().submit(fn, *args, **kwargs)


def test_lost_chunks_are_done_again(tree, monkeypatch):
    monkeypatch.setattr(run, "CHUNK", 2)
    with Flaky() as pool:
        assert check(["."], executor=pool) == check(["."])


# In a process of its own: what other tests import may have threads, and such a process must not be forked.
PROCESSES = """
import concurrent.futures, os, signal, sys
from pytest_lse.lint import check, run

if __name__ == "__main__":
    run.CHUNK = 3
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        pool.submit(os.getpid).result()
        if "kill" in sys.argv:
            os.kill(next(iter(pool._processes)), signal.SIGKILL)
        found = check([sys.argv[1]], executor=pool)
    assert len(found) == 40, len(found)
    assert found == check([sys.argv[1]])
    print("identical")
"""


@pytest.mark.parametrize("mode", ["plain", "kill"])
def test_processes_give_the_same_also_if_one_is_killed(tree, mode):
    assert "identical" in in_a_process(PROCESSES, tree, mode)


def in_a_process(script: str, tree: Path, mode: str) -> str:
    file = tree.parent / f"{tree.name}_script.py"
    file.write_text(script)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(file), str(tree), mode]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    return done.stdout + done.stderr


def test_results_and_tasks_are_small_plain_data(tree):
    work = list(tasks(["."], Resolver()))
    assert len(pickle.dumps(work)) < 10_000
    results = run.run(work, Job())
    assert [r.filename for r in pickle.loads(pickle.dumps(results))] == sorted(name for name, _, _ in work)


def test_files_without_findings_leave_no_result(tree):
    (tree / "clean.py").write_text("x = 1\n")
    results = run.run(tasks(["."], Resolver()), Job())
    assert len(results) == 40
    assert "clean.py" not in [r.filename for r in results]


def test_progress(tree):
    seen = []
    run.run(tasks(["."], Resolver()), Job(), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (40, 40)
    assert seen == sorted(seen)


def test_configuration(tree):
    (tree / "pyproject.toml").write_text("[tool.pytest-lse]\nselect = ['LSE002']\nignore = ['LSE000']\n")
    (tree / "other.toml").write_text("[tool.pytest-lse]\nselect = ['LSE001']\nignore = ['LSE000']\n")
    assert check(["."]) == []
    assert len(check(["."], isolated=True)) == 40
    assert len(check(["."], config=tree / "other.toml")) == 30
    assert len(check(["."], select=["LSE"])) == 40
    assert len(check(["."], select=["LSE"], ignore=["LSE001"])) == 10
    (tree / ".gitignore").write_text("p0\n")
    assert len(check(["."], isolated=True)) < 40
    assert len(check(["."], isolated=True, respect_gitignore=False)) == 40


def test_errors(tree, monkeypatch):
    with pytest.raises(FileNotFoundError, match="nope: no such file or directory"):
        check(["nope"])
    with pytest.raises(UnknownCodeError, match="'LSE999'"):
        check(["."], select=["LSE999"])
    with pytest.raises(ConfigError):
        check(["."], config="nope.toml")
    monkeypatch.setattr(run, "find", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(RuntimeError, match=r"p0/m0.py: internal error: ZeroDivisionError"):
        check(["."])


def test_an_unreadable_file_is_a_finding(tree, monkeypatch):
    (tree / "gone.py").symlink_to(tree / "gone.py")
    [result] = run.run([("gone.py", Resolver().settings(str(tree)), True)], Job())
    assert [f.code for f in result.findings] == ["LSE000"]
    assert "cannot be read: " in result.findings[0].message
    ignoring = Resolver({"ignore": ["LSE000"]}).settings(str(tree))
    assert run.run([("gone.py", ignoring, True)], Job()) == []


def test_warnings_of_the_compiler_stay_silent(tmp_path, recwarn):
    path = tmp_path / "a.py"
    path.write_text('r = "\\d"\nx is 1\n' + NAIVE)
    assert [f["code"] for f in check([path])] == ["LSE001"]
    assert not recwarn.list


DASK = """
import sys, threading, time, os, signal
from pytest_lse.lint import check, run
import distributed

do_chunk = run.do_chunk

def slow_chunk(chunk, job):
    time.sleep(0.1)
    return do_chunk(chunk, job)

if __name__ == "__main__":
    run.CHUNK = 2
    run.do_chunk = slow_chunk
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    client = distributed.Client(cluster)
    client.run(os.getpid)
    victim = next(iter(client.run(os.getpid).values()))
    killed = []
    def kill():
        os.kill(victim, signal.SIGKILL)
        killed.append(victim)
    if "kill" in sys.argv:
        threading.Timer(0.3, kill).start()
    found = check([sys.argv[1]], executor=client.get_executor())
    assert bool(killed) == ("kill" in sys.argv), "killed too late"
    run.do_chunk = do_chunk
    assert len(found) == 40, len(found)
    assert found == check([sys.argv[1]])
    client.close()
    cluster.close()
    print("identical")
"""


def test_dask_with_a_worker_killed_in_the_middle(tree):
    pytest.importorskip("distributed")
    assert "identical" in in_a_process(DASK, tree, "kill")


def test_many_small_files_take_linear_time(tmp_path):
    def seconds(count):
        folder = tmp_path / str(count)
        folder.mkdir()
        for i in range(count):
            (folder / f"m{i}.py").write_text("x = 1\n")
        start = time.process_time()
        check([folder])
        return time.process_time() - start

    seconds(10)
    few, many = seconds(200), seconds(1600)
    assert many < 8 * few * 2.5
